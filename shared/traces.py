"""What is kept of a clip on disk, and its removal: the file, the reason it failed, and the results."""

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from shared import corrections
from shared.errors import ReelmoodError
from shared.folders import is_digest
from shared.queues.clips import Clip
from shared.settings import Settings
from shared.storage import clips, results
from shared.summary import SUMMARY

REASON: Final = ".error.json"
"""What the name of a failed clip's reason ends in, after the clip's own name."""

_UNFINISHED: Final = re.compile(r"\..*-(?P<id>[^-]+)\.(partial|old)")


@dataclass(frozen=True)
class Run:
    """One analysis of a clip. `content` is the file's digest, `folder` that of the results, None without."""

    id: str
    name: str
    content: str
    folder: Path | None = None


@dataclass(frozen=True)
class Subject:
    """A clip whose traces are looked for: its content (empty if unknown), its runs' ids and names."""

    content: str
    ids: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True)
class Traces:
    """Files and folders that a clip has left."""

    files: tuple[Path, ...]
    folders: tuple[Path, ...]


def archived(results: Path) -> list[Run]:
    """Return the runs whose results lie in a folder, by the folder's name; what is no results is left out."""
    found = (_run(path.parent) for path in sorted(results.glob(f"[!.]*/{SUMMARY}")))
    return [run for run in found if run is not None]


def kept_files(settings: Settings, *roots: Path) -> Iterator[tuple[Path, Path]]:
    """Yield every regular file below `roots`, and its root; no symbolic link is followed.

    Reasons of failed clips are left out: they come and go with their clip.
    """
    for root in roots or (settings.incoming, settings.done, settings.failed):
        for parent, _, names in os.walk(root):
            paths = (Path(parent, name) for name in sorted(names))
            yield from ((path, root) for path in paths if _is_clip(path))


def _files(settings: Settings) -> list[tuple[Path, Path, int]]:
    """Return the file of every clip, the folder of clips that it is in, and its size: the store's, if any."""
    if not settings.store:
        return [(path, root, path.stat().st_size) for path, root in kept_files(settings)]
    held = clips.kept(settings)
    return [
        (path, root, size)
        for path, (size, _) in held.items()
        for root in (settings.incoming, settings.done, settings.failed)
        if path.is_relative_to(root)
        and not (path.name.endswith(REASON) and path.with_name(path.name.removesuffix(REASON)) in held)
    ]


def find(settings: Settings, known: list[Clip], wanted: str) -> Subject | None:
    """Return the clip that a person means, None when nothing is kept of it.

    `wanted` is an id, a name (with or without its sub-folder), or the path of a kept file or of a results
    folder; `known` are the clips on the broker. All runs of one content are one clip, under whatever name.
    Raises ReelmoodError when several clips are called so.
    """
    if not wanted:
        return None
    runs = [Run(clip.id, clip.name, clip.content) for clip in known] + archived(settings.results)
    runs += [Run(one.clip, one.name, one.content) for one in corrections.read(settings.corrections)]
    files = _files(settings)
    for is_meant in (_exactly, _by_last_part):
        meant = [run for run in runs if is_meant(wanted, run.id, run.name, run.folder)]
        named = {
            path: _name(path, root)
            for path, root, _ in files
            if is_meant(wanted, "", _name(path, root), path)
        }
        keys = {run.content or run.id for run in meant} | {clips.digest(settings, path) for path in named}
        if len(keys) > 1:
            which = ", ".join(sorted({run.id for run in meant} | {str(path) for path in named}))
            raise ReelmoodError(f"{len(keys)} clips are called {wanted}, give the id or path of one: {which}")
        if keys:
            return _subject(keys.pop(), runs, named.values())
    return None


def locate(settings: Settings, subject: Subject) -> Traces:
    """Return what is kept of a clip now: every file of its content, and the results of all of its runs."""
    files = [
        path
        for path, root, size in _files(settings)
        if _belongs(settings, path, size, _name(path, root), subject)
    ]
    reasons = [reason for path in files if clips.exists(settings, reason := _reason(path))]
    folders = [
        run.folder
        for run in archived(settings.results)
        if run.folder and (run.id in subject.ids or (run.content and run.content == subject.content))
    ]
    folders += [path for path, clip in unfinished(settings.results) if clip in subject.ids]
    return Traces(tuple(files + reasons), tuple(folders))


def remove(settings: Settings, traces: Traces) -> None:
    """Delete what `locate` has found; what has gone meanwhile is no error. Raises OSError if it cannot."""
    for path in traces.files:
        roots = (settings.incoming, settings.done, settings.failed)
        remove_file(settings, path, next(root for root in roots if path.is_relative_to(root)))
    for folder in traces.folders:
        results.remove(settings, folder)
        remove_folder(folder)


def corrected(settings: Settings, subject: Subject) -> int:
    """Return how many faces of a clip a person has confirmed or corrected."""
    held = corrections.read(settings.corrections)
    return sum(corrections.is_of(one, subject.ids, subject.content) for one in held)


def unfinished(results: Path) -> Iterator[tuple[Path, str]]:
    """Yield the hidden folders that killed runs have left among the results, and their clips' ids."""
    for path in sorted(results.glob(".*")):
        if (match := _UNFINISHED.fullmatch(path.name)) and path.is_dir():
            yield path, match["id"]


def remove_file(settings: Settings, path: Path, root: Path) -> None:
    """Delete a kept file with the reason beside it, and the sub-folders of `root` that are empty then."""
    clips.delete(settings, path)
    clips.delete(settings, _reason(path))
    for folder in path.parents:
        if folder == root or not folder.is_relative_to(root):
            return
        try:
            folder.rmdir()
        except OSError:
            return


def remove_folder(folder: Path) -> None:
    """Delete a folder of results. A symbolic link in it is deleted, not what it points to."""
    if folder.is_symlink():
        folder.unlink()
    else:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def _subject(key: str, runs: list[Run], names: Iterable[str]) -> Subject:
    same = [run for run in runs if key in (run.content, run.id)]
    return Subject(
        content=key if is_digest(key) else "",
        ids=frozenset(run.id for run in same),
        names=frozenset(run.name for run in same) | frozenset(names),
    )


def _belongs(settings: Settings, path: Path, size: int, name: str, subject: Subject) -> bool:
    if name.endswith(REASON) and name.removesuffix(REASON) in subject.names:
        return True  # the file itself was taken away
    told, _, _ = subject.content.partition("-")
    return str(size) == told and clips.digest(settings, path) == subject.content


def _run(folder: Path) -> Run | None:
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        content = str(summary.get("content", ""))
        return Run(
            id=str(summary["id"]),
            name=str(summary["clip"]),
            content=content if is_digest(content) else "",
            folder=folder,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _is_clip(path: Path) -> bool:
    is_reason = path.name.endswith(REASON) and path.with_name(path.name.removesuffix(REASON)).exists()
    return path.is_file() and not path.is_symlink() and not is_reason


def _reason(path: Path) -> Path:
    return path.with_name(path.name + REASON)


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _exactly(wanted: str, run_id: str, name: str, path: Path | None) -> bool:
    return wanted in (run_id, name) or (path is not None and path.resolve() == Path(wanted).resolve())


def _by_last_part(wanted: str, _run_id: str, name: str, path: Path | None) -> bool:
    return wanted == PurePosixPath(name).name or (path is not None and wanted.rstrip("/") == path.name)
