"""What lies in the incoming folder, and since when it has not changed."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


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

    No clip is what is hidden, lies in a hidden folder, is still being written (`*.part`), or is no regular
    file. What vanishes meanwhile, and sub-folders that cannot be read, are left out. It takes one system call
    for each file, so that ten thousand of them are seen in a fraction of a second.
    """
    files: dict[Path, Sighting] = {}
    links: set[Path] = set()
    for entry in _entries(os.fspath(folder)):
        if entry.is_symlink():
            links.add(Path(entry.path))
        elif not entry.name.lower().endswith(".part"):
            path = Path(entry.path)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            files[path] = sighted(before.get(path), status.st_size, status.st_mtime_ns, now_s)
    return Look(files, frozenset(links))


def sighted(before: Sighting | None, size: int, modified_ns: int, now_s: float) -> Sighting:
    """Return the sighting of a file now: the one `before` as long as it is still true."""
    if before is not None and (before.size, before.modified_ns) == (size, modified_ns):
        return before
    return Sighting(size, modified_ns, now_s)


def _entries(root: str) -> Iterator["os.DirEntry[str]"]:
    """Yield the files and links below a folder that are not hidden, in order; no link is followed."""
    folders = [root]
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                entries = sorted((one for one in found if not one.name.startswith(".")), key=_name)
            inner = [one.path for one in entries if one.is_dir(follow_symlinks=False)]
            others = [one for one in entries if one.is_symlink() or one.is_file(follow_symlinks=False)]
        except OSError:
            continue
        folders += reversed(inner)
        yield from others


def _name(entry: "os.DirEntry[str]") -> str:
    return entry.name
