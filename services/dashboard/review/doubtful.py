"""The faces that a person should look at: those of which the model is unsure."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.dashboard.library.faces import Faces
from services.dashboard.library.portraits import portraits_of
from services.dashboard.review.sharpness import SHARP, sharpness
from shared.corrections import picture_of
from shared.folders import printable

_OF_A_TRACK: Final = 3
"""Faces of a track in a batch: more of them are nearly the same picture."""
_READ: Final = 48
_LOOKED_AT: Final = 480


@dataclass(frozen=True)
class Reasons:
    """Why a face is doubtful: a margin below `margin` (0–1), or neighbours that carry another emotion."""

    margin: float = 0.2
    neighbours: bool = True


@dataclass(frozen=True, eq=False)
class Doubt:
    """A doubtful face: its place among the faces of its clip, and its picture (JPEG)."""

    faces: Faces
    place: int
    picture: bytes

    @property
    def key(self) -> str:
        """What tells it from all other faces: the name that its correction's picture would have."""
        return _key(self.faces, self.place)


@dataclass(frozen=True, eq=False)
class Batch:
    """Faces to look at together, sharp or blurred ones, and how many of the other kind were passed over."""

    doubts: tuple[Doubt, ...] = ()
    others: int = 0


def gather(
    library: Iterable[Faces], reasons: Reasons, decided: Collection[str], count: int, *, blurred: bool = False
) -> Batch:
    """Return up to `count` doubtful faces, the least sure first, three of a track at most.

    Those in `decided`, by their keys, and those without a picture are left out. No more than 480 pictures
    are looked at.
    """
    places = islice(_spread(_ordered(library, reasons), decided), _LOOKED_AT)
    doubts: list[Doubt] = []
    others = 0
    while len(doubts) < count and (part := list(islice(places, _READ))):
        for (faces, place), picture in zip(part, portraits_of(part), strict=True):
            sharp = sharpness(picture) if picture else None
            if sharp is None:
                continue
            if (sharp < SHARP) == blurred:
                doubts.append(Doubt(faces, place, picture))
            else:
                others += 1
    return Batch(tuple(doubts[:count]), others)


def _ordered(library: Iterable[Faces], reasons: Reasons) -> Iterator[tuple[Faces, int]]:
    """Yield the places of all doubtful faces, the least sure first."""
    shelves = list(library)
    found = [_doubtful(faces, reasons) for faces in shelves]
    if not found:
        return
    margins = np.concatenate([faces.margin[own] for faces, own in zip(shelves, found, strict=True)])
    sources = np.repeat(np.arange(len(shelves)), [len(own) for own in found])
    places = np.concatenate(found)
    for each in np.argsort(margins, kind="stable"):
        yield shelves[sources[each]], int(places[each])


def _doubtful(faces: Faces, reasons: Reasons) -> NDArray[np.int64]:
    disagree = faces.agrees == 0 if reasons.neighbours else False
    return np.flatnonzero((faces.margin < reasons.margin) | disagree)


def _spread(places: Iterable[tuple[Faces, int]], decided: Collection[str]) -> Iterator[tuple[Faces, int]]:
    """Pass on what is not decided, of each track no more than a few."""
    seen: Counter[tuple[str, int]] = Counter()
    for faces, place in places:
        track = faces.clip, int(faces.track[place])
        if seen[track] < _OF_A_TRACK and _key(faces, place) not in decided:
            seen[track] += 1
            yield faces, place


def _key(faces: Faces, place: int) -> str:
    return picture_of(printable(faces.clip), int(faces.frame[place]), int(faces.face[place]))
