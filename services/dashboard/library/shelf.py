"""The explained faces of all finished clips, in memory, kept up with the results folder."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from services.dashboard.library.faces import Faces, read_faces
from shared.moments import Stamp, stamps

logger = logging.getLogger(__name__)

MOST: Final = 500_000
"""Faces that are held at most, those of the newest clips: at 512 values each, 1 GB."""

_LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, eq=False)
class Library:
    """The faces of each file of moments, with the state that they were read from, the newest file first.

    `left_out` counts the clips for which there was no room.
    """

    files: Mapping[Path, tuple[Stamp, tuple[Faces, ...]]] = field(default_factory=dict)
    left_out: int = 0

    def __iter__(self) -> Iterator[Faces]:
        return (faces for _, found in self.files.values() for faces in found)

    def __len__(self) -> int:
        return sum(len(faces) for faces in self)


class Shelf:
    """The library of a results folder, for all who look at once; the folder is looked at once a second."""

    def __init__(self, results: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._results = results
        self._clock = clock
        self._lock = threading.Lock()
        self._library = Library()
        self._looked_s: float | None = None

    def library(self) -> Library:
        """Return the library as it is now; the first call reads all of it."""
        with self._lock:
            now_s = self._clock()
            if self._looked_s is None or now_s - self._looked_s >= _LOOK_EVERY_S:
                self._library = refresh(self._library, self._results)
                self._looked_s = self._clock()
            return self._library


def refresh(library: Library, results: Path) -> Library:
    """Return the faces of the finished clips in `results`; only what has changed is read again.

    A folder that cannot be read is left out, with a warning in the log.
    """
    now = stamps(results)
    files: dict[Path, tuple[Stamp, tuple[Faces, ...]]] = {}
    count = 0
    for path in sorted(now, key=lambda each: now[each], reverse=True):
        held = library.files.get(path)
        found = held[1] if held and held[0] == now[path] else _read_or_warn(path)
        count += sum(len(faces) for faces in found)
        if count > MOST:
            break
        files[path] = now[path], found
    return Library(files, len(now) - len(files))


def find(library: Iterable[Faces], clip: str, track: int, frame: int) -> tuple[Faces, int] | None:
    """Return the faces among which that of a track in a frame of a clip is, and its place there."""
    for faces in library:
        if faces.clip == clip:
            places = np.flatnonzero((faces.track == track) & (faces.frame == frame))
            if len(places):
                return faces, int(places[0])
    return None


def of_content(library: Iterable[Faces], content: str) -> list[tuple[Faces, int]]:
    """Return the place of every face of the clips with a content, each once."""
    found = {
        (int(faces.frame[place]), int(faces.face[place])): (faces, place)
        for faces in library
        if content and faces.content == content
        for place in range(len(faces))
    }
    return list(found.values())


def surest(library: Iterable[Faces], limit: int) -> list[tuple[Faces, int]]:
    """Return the place of the surest face of each track, those of the first clips first, `limit` at most."""
    found: list[tuple[Faces, int]] = []
    for faces in library:
        order = np.argsort(-faces.confidence, kind="stable")
        _, first = np.unique(faces.track[order], return_index=True)
        found += [(faces, int(order[place])) for place in first]
        if len(found) >= limit:
            break
    return found[:limit]


def _read_or_warn(path: Path) -> tuple[Faces, ...]:
    try:
        return tuple(read_faces(path, MOST))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        logger.warning("moments of %s are left out: %s", path.parent.name, str(error).split("\n", 1)[0])
        return ()
