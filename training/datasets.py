"""Data sets of labelled faces, decoded once into memory.

Layout: Kaggle's FER2013, `<root>/train/<emotion>/<picture>` and `<root>/test/<emotion>/<picture>`; any set of
one's own in these folders will do. FER+ adds a CSV with the votes of ten people for each picture.
"""

import csv
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.errors import DataError

log = logging.getLogger(__name__)

Split = Literal["train", "test"]
VOTE_COLUMNS: Final = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""FER+'s names of the seven emotions, in the order of `EMOTIONS`."""
OTHER_COLUMNS: Final = ("contempt", "unknown", "NF")


@dataclass(frozen=True)
class Faces:
    """Labelled pictures.

    `images` uint8 [N, side, side, C], C = 1 (grey) or 3 (RGB); `labels` int64 [N], indices into `EMOTIONS`;
    `names` "split/emotion/file" (a file name alone can stand in two classes).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> "Faces":
        """Return the pictures at `indices`, in that order."""
        rows = np.asarray(indices, dtype=np.int64)
        return Faces(self.images[rows], self.labels[rows], tuple(self.names[row] for row in rows))


@dataclass(frozen=True)
class Votes:
    """FER+ votes: `seven` int64 [N, 7] in the order of `EMOTIONS`, `total` int64 [N] with all others."""

    seven: NDArray[np.int64]
    total: NDArray[np.int64]

    def majority(self) -> NDArray[np.int64]:
        """Return int64 [N]: the emotion with more than half of all votes, -1 where none has."""
        clear = 2 * self.seven.max(axis=1) > self.total
        return np.where(clear, self.seven.argmax(axis=1), -1)


def read_faces(root: Path, split: Split, side: int = 48, grey: bool = True) -> Faces:
    """Decode the pictures of `<root>/<split>`, each brought to `side`×`side`, in the order of their names.

    Raises DataError, naming the file or folder, when the layout is another one, an emotion has no picture,
    or a picture cannot be decoded.
    """
    folder = root / split
    if not folder.is_dir():
        raise DataError(
            f"{folder} is missing: the data folder must hold train/<emotion>/ and test/<emotion>/"
        )
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    names: list[str] = []
    for label, emotion in enumerate(EMOTIONS):
        if not (folder / emotion).is_dir():
            raise DataError(f"{folder / emotion} is missing: one folder is needed for each emotion")
        files = sorted(file for file in (folder / emotion).iterdir() if not file.name.startswith("."))
        if not files:
            raise DataError(f"{folder / emotion} is empty")
        images += [_decode(file, side, grey) for file in files]
        labels += [label] * len(files)
        names += [f"{split}/{emotion}/{file.name}" for file in files]
    return Faces(np.stack(images), np.array(labels, dtype=np.int64), tuple(names))


def read_votes(path: Path, names: Sequence[str]) -> Votes:
    """Read the FER+ votes of the pictures `names` from a CSV with a column `path` and one per choice.

    Raises DataError when the file cannot be read, lacks a column or a picture, or holds something else
    than counts.
    """
    columns = (*VOTE_COLUMNS, *OTHER_COLUMNS)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"path", *columns} - set(reader.fieldnames or ())
            if missing:
                raise DataError(f"{path} lacks the columns {', '.join(sorted(missing))}")
            rows = {row["path"]: [int(row[column]) for column in columns] for row in reader}
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path} cannot be read as votes: {error}") from error
    absent = next((name for name in names if name not in rows), None)
    if absent is not None:
        raise DataError(f"{path} has no votes for {absent}")
    counts = np.array([rows[name] for name in names], dtype=np.int64)
    return Votes(counts[:, : len(EMOTIONS)], counts.sum(axis=1))


def _decode(file: Path, side: int, grey: bool) -> NDArray[np.uint8]:
    flags = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
        image = cv2.imdecode(data, flags) if data.size else None
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise DataError(f"{file} cannot be decoded as a picture")
    if image.shape[:2] != (side, side):
        image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return image.reshape(side, side, -1).astype(np.uint8)
