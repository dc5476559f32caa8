"""What lies in the incoming folder, and since when it has not changed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.folders import is_candidate


@dataclass(frozen=True)
class Sighting:
    """A file's size and time of modification, and since when, on the watcher's clock, it has had them."""

    size: int
    modified_ns: int
    since_s: float


@dataclass(frozen=True)
class Look:
    """What one look saw: the files that may be clips, by path, and the symbolic links, which none follows."""

    files: Mapping[Path, Sighting]
    links: frozenset[Path]


def look(folder: Path, before: Mapping[Path, Sighting], now_s: float) -> Look:
    """Look through a folder and its sub-folders; `before` is the files that the last look saw.

    What vanishes meanwhile, and sub-folders that cannot be read, are left out.
    """
    files: dict[Path, Sighting] = {}
    links: set[Path] = set()
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        links.update(path for name in (*folders, *names) if (path := Path(parent, name)).is_symlink())
        for path in (Path(parent, name) for name in sorted(names)):
            try:
                if is_candidate(path, folder):
                    files[path] = _sighting(path, before.get(path), now_s)
            except OSError:
                continue
    return Look(files, frozenset(links))


def _sighting(path: Path, before: Sighting | None, now_s: float) -> Sighting:
    status = path.stat()
    if before is not None and (before.size, before.modified_ns) == (status.st_size, status.st_mtime_ns):
        return before
    return Sighting(status.st_size, status.st_mtime_ns, now_s)
