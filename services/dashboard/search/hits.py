"""From a face to the moments that look like it."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.dashboard.library.faces import Faces
from shared.emotions import EMOTIONS

_NOWHERE: Final = -1


@dataclass(frozen=True, eq=False)
class Query:
    """The face that is looked for: its embedding, float32 [E], of length 1, who made it, and its place."""

    model: str
    embedding: NDArray[np.float32]
    clip: str = ""
    track: int = _NOWHERE
    frame: int = _NOWHERE


@dataclass(frozen=True)
class Filters:
    """Which moments count: their emotions, their clips by id (None: all), and what they must come to.

    `confidence` is the least of theirs, 0–1, `similarity` their least cosine, −1–1. With `every`, all moments
    of a track count, else the most similar one of each.
    """

    emotions: frozenset[str] = frozenset(EMOTIONS)
    confidence: float = 0.0
    similarity: float = -1.0
    clips: frozenset[str] | None = None
    every: bool = False


@dataclass(frozen=True, eq=False)
class Hit:
    """A moment that was found: its place among the faces of its clip, and its cosine similarity."""

    faces: Faces
    place: int
    similarity: float


def query_of(faces: Faces, place: int) -> Query:
    """Return the query for a known face."""
    return Query(
        faces.model,
        faces.embeddings[place],
        faces.clip,
        int(faces.track[place]),
        int(faces.frame[place]),
    )


def nearest(library: Iterable[Faces], query: Query, filters: Filters, count: int) -> list[Hit]:
    """Return the `count` moments most similar to a face, the most similar first.

    Only faces that the same model has read can be compared. The face itself is left out, and without
    `filters.every` its whole track.
    """
    found = (
        _in_clip(faces, query, filters, count)
        for faces in library
        if faces.model == query.model
        and faces.embeddings.shape[1] == len(query.embedding)
        and (filters.clips is None or faces.clip in filters.clips)
    )
    return heapq.nlargest(count, chain.from_iterable(found), key=lambda hit: hit.similarity)


def _in_clip(faces: Faces, query: Query, filters: Filters, count: int) -> list[Hit]:
    counts = (faces.confidence >= filters.confidence) & _numbers(filters.emotions)[faces.emotion]
    if faces.clip == query.clip:
        own = faces.track == query.track
        counts &= ~(own & (faces.frame == query.frame)) if filters.every else ~own
    places = np.flatnonzero(counts)
    similarities = np.clip(faces.embeddings @ query.embedding, -1, 1)[places]
    alike = similarities >= filters.similarity
    places, similarities = places[alike], similarities[alike]
    order = np.argsort(-similarities, kind="stable")
    if not filters.every:
        _, first = np.unique(faces.track[places[order]], return_index=True)
        order = order[np.sort(first)]
    return [Hit(faces, int(places[each]), float(similarities[each])) for each in order[:count]]


def _numbers(emotions: frozenset[str]) -> NDArray[np.bool_]:
    return np.array([emotion in emotions for emotion in EMOTIONS])
