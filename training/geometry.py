"""Where faces lie in the pictures of a data set, beside the template that faces are aligned to at run time.

A model sees at run time what it was trained on only if both agree in scale and place, or training moves its
pictures about by as much as they differ.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from shared.faces.alignment import TEMPLATE_SIDE, similarity
from shared.faces.preprocessing import preprocess
from shared.poster.nano import LANDMARK_SIZE, PREPROCESSING
from shared.poster.streams import LandmarkNet
from training.datasets import Faces


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over the pictures of a set."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Geometry:
    """How the template must be scaled, turned and moved to fit the faces of a set.

    `scale` is a factor, `degrees` clockwise, `right` and `down` move the centre, in widths of the picture.
    """

    scale: Spread
    degrees: Spread
    right: Spread
    down: Spread


def find_points(faces: Faces, net: LandmarkNet, batch_size: int = 128) -> NDArray[np.float32]:
    """Return the five points of the template in each picture, float32 [N, 5, 2], as fractions of its side."""
    found = []
    rgb = np.broadcast_to(faces.images, (*faces.images.shape[:3], 3))
    with torch.inference_mode():
        for start in range(0, len(faces), batch_size):
            shown = preprocess(rgb[start : start + batch_size], PREPROCESSING, LANDMARK_SIZE)
            found.append(five_of_68(net(torch.from_numpy(shown)).numpy()))
    return np.concatenate(found)


def five_of_68(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return eyes, tip of the nose and corners of the mouth [N, 5, 2] from iBUG's 68 points [N, 68, 2]."""
    left, right = points[:, 36:42].mean(axis=1), points[:, 42:48].mean(axis=1)
    return np.stack((left, right, points[:, 30], points[:, 48], points[:, 54]), axis=1)


def measure(points: NDArray[np.float32]) -> Geometry:
    """Fit the template to the `points` [N, 5, 2] of each picture, in least squares."""
    rows = []
    for face in points:
        to_template = similarity(np.asarray(face * TEMPLATE_SIDE, np.float32))
        if to_template is None:
            continue
        linear = np.linalg.inv(to_template[:, :2])
        half = TEMPLATE_SIDE / 2
        centre = linear @ (np.full(2, half) - to_template[:, 2])
        turn = np.degrees(np.arctan2(linear[1, 0], linear[0, 0]))
        rows.append((np.hypot(linear[0, 0], linear[1, 0]), turn, *((centre - half) / TEMPLATE_SIDE)))
    columns = np.array(rows, np.float64).T
    scale, degrees, right, down = (Spread(float(values.mean()), float(values.std())) for values in columns)
    return Geometry(scale, degrees, right, down)
