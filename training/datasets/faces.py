"""Labelled faces in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS


@dataclass(frozen=True)
class Faces:
    """Labelled pictures.

    `images` uint8 [N, side, side, C], C = 1 (grey) or 3 (RGB); `labels` int64 [N], indices into `label_set`;
    `names` "split/emotion/file" (a file name alone can stand in two classes); `label_set` the seven in the
    order of `EMOTIONS`, or the eight with contempt last; `subjects` who is in each picture, where known.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    label_set: tuple[str, ...] = EMOTIONS
    subjects: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> "Faces":
        """Return the pictures at `indices`, in that order."""
        rows = np.asarray(indices, dtype=np.int64)
        names = tuple(self.names[row] for row in rows)
        subjects = None if self.subjects is None else tuple(self.subjects[row] for row in rows)
        return Faces(self.images[rows], self.labels[rows], names, self.label_set, subjects)

    def labels_in(self, order: tuple[str, ...]) -> NDArray[np.int64]:
        """Return int64 [N]: the labels as indices into `order`, which must hold all of the label set."""
        return np.array([order.index(label) for label in self.label_set], np.int64)[self.labels]


def join(faces: Faces, more: Faces) -> Faces:
    """Return the pictures of `faces` and, after them, those of `more`, in the label set of the first.

    It must hold all labels of the second, and the pictures must be of one size. Who is in them is lost.
    """
    labels = np.concatenate([faces.labels, more.labels_in(faces.label_set)])
    images = np.concatenate([faces.images, more.images])
    return Faces(images, labels, faces.names + more.names, faces.label_set)


@dataclass(frozen=True)
class Dataset:
    """A data set in memory; `fingerprint` tells its pictures and labels from any others', SHA-256 in hex."""

    name: str
    labels: tuple[str, ...]
    train: Faces
    test: Faces | None
    fingerprint: str
