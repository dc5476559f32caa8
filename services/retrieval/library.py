"""Which gallery answers a model's queries: one built from a data set, else the user's own finished clips."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.retrieval.built import read_gallery
from services.retrieval.gallery import Gallery
from services.retrieval.own import OwnFaces, refresh
from shared.errors import DataError
from shared.gallery import HEAD_FILE, gallery_folder

logger = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 1.0
_MODELS: Final = 8


@dataclass(frozen=True)
class _Shelf:
    """What is held for one model: when the folders were looked at, and what was found there."""

    looked_s: float
    own: OwnFaces
    built: Gallery | None
    built_stamp: int | None


class Library:
    """The galleries of the last eight models that have asked, kept up with the folders at most once a second.

    An answer never mixes models: every gallery belongs to one model id, and faces that another one has read
    are left out of it.
    """

    def __init__(self, galleries: Path, results: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._galleries = galleries
        self._results = results
        self._clock = clock
        self._shelves: dict[str, _Shelf] = {}

    def gallery_of(self, model: str) -> Gallery | None:
        """Return the gallery that answers a model's queries, None while there is none."""
        shelf = self._shelves.get(model)
        if shelf is None or self._clock() - shelf.looked_s >= _LOOK_EVERY_S:
            shelf = self._look(model, shelf or _Shelf(0.0, OwnFaces(model), None, None))
            self._shelves.pop(model, None)
            self._shelves[model] = shelf
            if len(self._shelves) > _MODELS:
                del self._shelves[next(iter(self._shelves))]
        return shelf.built or shelf.own.gallery

    def _look(self, model: str, shelf: _Shelf) -> _Shelf:
        folder = gallery_folder(self._galleries, model)
        stamp = _changed_ns(folder / HEAD_FILE) if folder else None
        built = shelf.built if stamp == shelf.built_stamp else _read(folder, model)
        own = shelf.own if built else refresh(shelf.own, self._results)
        return _Shelf(self._clock(), own, built, stamp)


def _read(folder: Path | None, model: str) -> Gallery | None:
    if folder is None:
        return None
    try:
        gallery = read_gallery(folder, model)
    except DataError as error:
        logger.warning("%s; the faces of finished clips answer instead", error)
        return None
    logger.info("gallery of %s: %d faces", model, len(gallery.faces))
    return gallery


def _changed_ns(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
