"""MTCNN's five points in the pictures of a data set: what the 68-point nets are compared with."""

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.faces.alignment import FaceAligner, Landmarks

_SIDE = 160
_MARGIN = 40
_BATCH = 32


def five_points(images: NDArray[np.uint8], aligner: FaceAligner) -> Landmarks:
    """Return the five points of each picture, uint8 [N, S, S, 1 or 3], as fractions of its side.

    The pictures of a data set end at the face; MTCNN looks for faces with something around them, so their
    edges are drawn out first.
    """
    points, found = [], []
    for start in range(0, len(images), _BATCH):
        landmarks = aligner.find([_with_margin(image) for image in images[start : start + _BATCH]])
        # The centre of the first pixel is half a pixel inside the picture.
        points.append(np.asarray((landmarks.points + 0.5 - _MARGIN) / _SIDE, np.float32))
        found.append(landmarks.found)
    return Landmarks(np.concatenate(points), np.concatenate(found))


def _with_margin(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a picture [S, S, 1 or 3] to RGB [240, 240, 3]: its edges drawn out by 40 pixels."""
    large = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR).reshape(_SIDE, _SIDE, -1)
    wide = np.pad(large, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode="edge")
    return np.ascontiguousarray(np.broadcast_to(wide, (*wide.shape[:2], 3)), np.uint8)
