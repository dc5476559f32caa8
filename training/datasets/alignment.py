"""Alignment of a data set by MTCNN, as at run time; the landmarks are looked for once and kept on disk."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from shared.errors import DataError
from shared.faces.alignment import FaceAligner, similarity, warp
from training.datasets.pictures import Picture, read_picture

log = logging.getLogger(__name__)

_BATCH: Final = 64
_MARGIN: Final = 0.25
"""Of a picture's side: MTCNN looks for a face with some room around it."""


@dataclass(frozen=True)
class Alignment:
    """How pictures are aligned: `side` and `zoom` of the warp as at run time, `cache` for landmarks."""

    aligner: FaceAligner
    side: int
    zoom: float = 1.0
    cache: Path | None = None


@dataclass(frozen=True)
class Poses:
    """How each picture lies: `matrices` float64 [N, 2, 3] bring it, with its margin, to the template.

    NaN where no landmarks were found. `side` and `zoom` as in `Alignment`.
    """

    matrices: NDArray[np.float64]
    side: int
    zoom: float

    @property
    def found(self) -> NDArray[np.bool_]:
        """[N]: whether there are landmarks."""
        return np.asarray(np.isfinite(self.matrices).all(axis=(1, 2)))

    def rows(self, rows: slice) -> "Poses":
        """Return the poses of the pictures `rows`."""
        return Poses(self.matrices[rows], self.side, self.zoom)

    def align(self, row: int, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture of `row`, RGB [H, W, 3], in the template's frame, [side, side, 3]."""
        return warp(with_margin(picture), self.matrices[row], self.side, self.zoom)


def find_poses(pictures: Sequence[Picture], digests: Sequence[str], how: Alignment, key: str) -> Poses:
    """Find how the pictures lie, or read it from the cache, where it is kept under `key`.

    `digests` tell the pictures apart: those with the same one are looked at once and lie the same. Raises
    DataError when a picture cannot be decoded or the cache cannot be written.
    """
    file = None if how.cache is None else how.cache / f"poses-{key}.npy"
    matrices = None if file is None else _read(file, len(pictures))
    if matrices is None:
        _, first, places = np.unique(np.array(digests), return_index=True, return_inverse=True)
        matrices = _find([pictures[row] for row in first], how.aligner)[places]
        if file is not None:
            _write(file, matrices)
    poses = Poses(matrices, how.side, how.zoom)
    missed = len(pictures) - int(poses.found.sum())
    log.info("no landmarks in %d of %d pictures, which stay as they are", missed, len(pictures))
    return poses


def with_margin(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture [H, W, 3] in the middle of a square half as large again; its edges are drawn out.

    The template then doesn't reach into black.
    """
    height, width = picture.shape[:2]
    side = max(height, width) + 2 * round(_MARGIN * max(height, width))
    top, left = (side - height) // 2, (side - width) // 2
    wide = cv2.copyMakeBorder(
        picture, top, side - height - top, left, side - width - left, cv2.BORDER_REPLICATE
    )
    return np.asarray(wide, np.uint8)


def _find(pictures: Sequence[Picture], aligner: FaceAligner) -> NDArray[np.float64]:
    matrices = np.full((len(pictures), 2, 3), np.nan)
    starts = range(0, len(pictures), _BATCH)
    terminal = Console(stderr=True)
    for start in track(
        starts, "looking for landmarks", console=terminal, transient=True, disable=not terminal.is_terminal
    ):
        batch = pictures[start : start + _BATCH]
        points, found = aligner.find([with_margin(read_picture(picture, grey=False)) for picture in batch])
        for row in np.flatnonzero(found):
            matrix = similarity(points[row])
            if matrix is not None:
                matrices[start + row] = matrix
    return matrices


def _read(file: Path, count: int) -> NDArray[np.float64] | None:
    """Return what is kept in `file`, None when there is nothing that can be used."""
    if not file.exists():
        return None
    try:
        matrices = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        matrices = None
    if (
        not isinstance(matrices, np.ndarray)
        or matrices.dtype != np.float64
        or matrices.shape != (count, 2, 3)
    ):
        log.warning("%s is damaged: looking for the landmarks again", file)
        return None
    return matrices


def _write(file: Path, matrices: NDArray[np.float64]) -> None:
    """Write so that a kill leaves no part of the file; several processes may do so at once."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as opened:
            np.save(opened, matrices, allow_pickle=False)
        os.replace(partial, file)  # noqa: PTH105 - atomic on one file system, overwrites on Windows too
    except OSError as error:
        raise DataError(f"{file} cannot be written: {error.strerror}") from error
