"""Alignment: five landmarks of a face, and the similarity transform that brings them to the template.

Source: the paper, section III-B "Alignment", equations 2 and 3. Points are (x, y) in pixels, with (0, 0) in
the centre of the first pixel. Pictures are uint8 RGB.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray

TEMPLATE_SIDE: Final = 224
TEMPLATE: Final[NDArray[np.float32]] = TEMPLATE_SIDE * np.array(
    [(0.35, 0.35), (0.65, 0.35), (0.50, 0.50), (0.37, 0.75), (0.63, 0.75)], np.float32
)
"""Left eye, right eye, nose, left and right mouth corner (left in the picture), float32 [5, 2], pixels."""

_MTCNN_SIDE: Final = 160
_MTCNN_MIN_FACE: Final = 70
_OFF_CENTRE: Final = 2.0
_EVERY_POINT: Final = 1e6


class Landmarks(NamedTuple):
    """Five points per face, in the order of `TEMPLATE`."""

    points: NDArray[np.float32]
    """[N, 5, 2], pixels of the crop; zeros where none were found."""
    found: NDArray[np.bool_]
    """[N]"""


class FaceAligner(Protocol):
    """Finds the landmarks of faces."""

    def find(self, crops: Sequence[NDArray[np.uint8]]) -> Landmarks:
        """Return the landmarks of the face in the middle of each crop, uint8 RGB [S, S, 3], S of its own."""
        ...


class MtcnnAligner:
    """MTCNN (Zhang et al., 2016) as in `facenet_pytorch`, whose weights come with the package.

    A crop is a face with some margin around, so the search for small faces is left out: crops are brought to
    160 pixels, and faces of at least 70 are looked for.
    """

    def __init__(self, device: torch.device) -> None:
        mtcnn = MTCNN(min_face_size=_MTCNN_MIN_FACE, keep_all=True, device=device)
        # In a batch the last bits of a face's landmarks depend on the other faces, and with them whole pixels
        # of the network's own crops: a probability moved by up to 0.003. Alone, a face takes 2 ms longer on a
        # CPU; on a GPU it would take many times as long, and its bfloat16 rounds more coarsely than that.
        self._at_a_time = None if device.type == "cuda" else 1
        # In this layout max pooling is vectorised on a CPU, which halves the time of a face.
        self._mtcnn = mtcnn.to(memory_format=torch.channels_last)

    def find(self, crops: Sequence[NDArray[np.uint8]]) -> Landmarks:
        """Return the landmarks of the face in the middle of each crop; see `FaceAligner`.

        On a CPU those of a face do not depend on the other crops.
        """
        points = np.zeros((len(crops), len(TEMPLATE), 2), np.float32)
        found = np.zeros(len(crops), np.bool_)
        if not crops:
            return Landmarks(points, found)
        pictures = np.stack([_resize(crop, _MTCNN_SIDE) for crop in crops])
        step = self._at_a_time or len(crops)
        for start in range(0, len(crops), step):
            boxes, _, landmarks = self._mtcnn.detect(pictures[start : start + step], landmarks=True)
            for index, box, five in zip(range(start, start + len(boxes)), boxes, landmarks, strict=True):
                if box is not None:
                    small = np.asarray(five[_most_central(np.asarray(box, np.float64))], np.float64)
                    points[index] = (small + 0.5) * (len(crops[index]) / _MTCNN_SIDE) - 0.5
                    found[index] = True
        return Landmarks(points, found)


def similarity(points: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return the similarity [2, 3] that brings `points` [5, 2] nearest to `TEMPLATE`, in least squares.

    None when the points fall together. By default OpenCV's function would take points more than 3 pixels from
    the template for outliers. A face is not the template, so nearly all of its points are: the fit would hang
    on the two or three that happen to agree, and turn the face by up to 13° from one frame to the next. With
    all five the fit is the paper's equation 2.
    """
    matrix, _ = cv2.estimateAffinePartial2D(points, TEMPLATE, ransacReprojThreshold=_EVERY_POINT)
    if matrix is None or not np.isfinite(matrix).all() or not matrix[:, :2].any():
        return None
    return np.asarray(matrix, np.float64)


def box_to_template(crop_side: int, margin: float) -> NDArray[np.float64]:
    """Return the matrix [2, 3] that fills the template's square with the box in the middle of a crop.

    For faces without landmarks. `margin` is what the crop carries beyond the box on each side, in sides of
    the box.
    """
    box = crop_side / (1 + 2 * margin)
    scale, corner = TEMPLATE_SIDE / box, (crop_side - box) / 2
    return np.array([[scale, 0, -corner * scale], [0, scale, -corner * scale]])


def warp(
    crop: NDArray[np.uint8], to_template: NDArray[np.float64], side: int, zoom: float = 1.0
) -> NDArray[np.uint8]:
    """Return `crop` [S, S, 3] in the template's frame, as a picture of `side` pixels; bilinear, black border.

    `zoom` scales about the centre, above 1 is nearer. Where 224 is a multiple of `side`, the pixels are those
    that nearest-neighbour interpolation takes from the picture of 224: every second one for 112.
    """
    matrix = to_template * (side / TEMPLATE_SIDE) * zoom
    matrix[:, 2] += (1 - zoom) * side / 2
    return np.asarray(cv2.warpAffine(crop, matrix, (side, side), flags=cv2.INTER_LINEAR), np.uint8)


def _resize(crop: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if len(crop) == side:
        return crop
    flags = cv2.INTER_AREA if len(crop) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (side, side), interpolation=flags), np.uint8)


def _most_central(boxes: NDArray[np.float64]) -> int:
    """Return the index of the box (left, top, right, bottom) that is large and in the middle of the crop."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    offset = (boxes[:, :2] + boxes[:, 2:]) / 2 - _MTCNN_SIDE / 2
    return int(np.argmax(area - _OFF_CENTRE * (offset**2).sum(axis=1)))
