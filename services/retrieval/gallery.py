"""The faces among which a model's neighbours are looked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.retrieval.index import NOTHING, EmbeddingIndex, GrowingIndex
from shared.errors import MessageError
from shared.messages import Neighbour


@dataclass(frozen=True)
class GalleryFace:
    """What is known of a face in a gallery: its label, clip or file, 0-based frame and time in seconds."""

    label: str
    source: str
    frame: int | None = None
    time_s: float | None = None


@dataclass(frozen=True)
class Gallery:
    """The faces of one model: row i of the index is `faces[i]`; `clips` are the rows of each clip id."""

    model: str
    index: EmbeddingIndex
    faces: list[GalleryFace] = field(default_factory=list)
    clips: dict[str, range] = field(default_factory=dict)


def empty_gallery(model: str, dimension: int) -> Gallery:
    """Return a gallery for embeddings of `dimension` values made by `model`."""
    return Gallery(model, GrowingIndex(dimension))


def extend(
    gallery: Gallery, embeddings: NDArray[np.float32], faces: Sequence[GalleryFace], clip: str | None = None
) -> None:
    """Add faces, embeddings float32 [N, E], to a gallery; all of them belong to `clip`, if one is given.

    Raises ValueError when the two differ in number, or the embeddings in dimension from the gallery's.
    """
    if len(embeddings) != len(faces):
        raise ValueError(f"{len(embeddings)} embeddings of {len(faces)} faces")
    first = len(gallery.faces)
    gallery.index.add(embeddings)
    gallery.faces.extend(faces)
    if clip is not None:
        gallery.clips[clip] = range(first, len(gallery.faces))


def nearest(gallery: Gallery, embedding: NDArray[np.float32], count: int, clip: str) -> list[Neighbour]:
    """Return up to `count` faces nearest to an embedding, float32 [E], the most similar first.

    Faces of `clip`, the one that asks, are left out. Raises MessageError when the embedding has not the
    gallery's dimension.
    """
    without = gallery.clips.get(clip, range(0))
    try:
        similarities, rows = gallery.index.search(embedding[np.newaxis], count, without)
    except ValueError as error:
        raise MessageError(f"query does not fit the gallery of {gallery.model}: {error}") from None
    return [
        _neighbour(gallery.faces[row], similarity)
        for similarity, row in zip(similarities[0], rows[0], strict=True)
        if row != NOTHING
    ]


def _neighbour(face: GalleryFace, similarity: float) -> Neighbour:
    return Neighbour(
        label=face.label,
        source=face.source,
        frame=face.frame,
        time_s=face.time_s,
        similarity=float(np.clip(similarity, -1, 1)),
    )
