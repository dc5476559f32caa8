"""The 68 points of 300-W (Sagonas et al., ICCVW 2013): how they move with a picture, how far off they are."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

OUTER_EYE_CORNERS: Final = (36, 45)
"""Their distance is what 300-W divides errors by."""
MIRRORED: Final = (
    *range(16, -1, -1),  # jaw
    *range(26, 16, -1),  # brows
    *range(27, 31),  # bridge of the nose
    *range(35, 30, -1),  # nostrils
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),  # eyes
    *range(54, 47, -1),  # outer lips, above
    *range(59, 54, -1),  # outer lips, below
    *range(64, 59, -1),  # inner lips, above
    *range(67, 64, -1),  # inner lips, below
)
"""For each point, the one that stands in its place in the mirror image."""


@dataclass(frozen=True)
class Errors:
    """Normalised mean errors of `count` faces, in eye distances: mean, median and 95 % quantile."""

    count: int
    mean: float
    median: float
    high: float


def mirror(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return where `points` [N, 68, 2] of a picture, fractions of its side, stand in its mirror image."""
    return points[:, MIRRORED] * np.array([-1, 1], np.float32) + np.array([1, 0], np.float32)


def move(points: Tensor, affine: Tensor) -> Tensor:
    """Return where `points` of a picture stand after `training.augmentation.warp` with `affine`.

    `points` float [B, 68, 2], (x, y) as fractions of the side; `affine` [B, 2, 3] from places in the result
    to places in the picture, both in -1..1. In a mirror image left and right points change their names.
    """
    linear, shift = affine[:, :, :2], affine[:, :, 2:]
    places = (2 * points - 1).transpose(1, 2)
    moved = torch.linalg.solve(linear, places - shift).transpose(1, 2)
    turned_over = torch.linalg.det(linear)[:, None, None] < 0
    moved = torch.where(turned_over, moved[:, list(MIRRORED)], moved)
    return (moved + 1) / 2


def point_errors(
    found: NDArray[np.float32], truth: NDArray[np.float32], eyes: tuple[int, int]
) -> NDArray[np.float64]:
    """Return how far each point is off, [N, K, 2] both, in distances of the face's two true `eyes`.

    float64 [N, K]; faces whose eyes fall together are left out.
    """
    distance = np.linalg.norm(truth[:, eyes[0]] - truth[:, eyes[1]], axis=1)
    apart = distance > 0
    off = np.linalg.norm(found - truth, axis=2)
    return np.asarray(off[apart] / distance[apart, None], np.float64)


def summarise(errors: NDArray[np.float64]) -> Errors:
    """Return the figures of the faces whose `point_errors` [N, K] are given, NaN where N is 0."""
    if not len(errors):
        return Errors(0, np.nan, np.nan, np.nan)
    faces = errors.mean(axis=1)
    return Errors(len(faces), float(faces.mean()), float(np.median(faces)), float(np.quantile(faces, 0.95)))
