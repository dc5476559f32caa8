"""Where the faces of a frame are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from shared.errors import ReelmoodError
from shared.messages import Box

Image = npt.NDArray[np.uint8]

CASCADE: Final = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"

_WINDOW: Final = 24
"""Side of the cascade's window: it finds nothing smaller."""
_SMALLEST: Final = 36
"""What the smallest wanted face is scaled down to, in pixels. At 30, one in thirty of the faces found at full
size was lost in the development clips; at 36 none on balance, for a tenth more time."""
_SCALE: Final = 1.3
_NEIGHBOURS: Final = 5
_SAME_FACE: Final = 0.6
_AROUND: Final = 0.4
"""How far from its last place a face is looked for, in sides of its box."""
_LEAST_GROWTH: Final = 0.75
_MOST_GROWTH: Final = 1.35


class FaceDetector(Protocol):
    """Finds the faces of a frame."""

    def detect(self, image: Image, expected: Sequence[Box] = ()) -> list[Box]:
        """Return the faces of an image, RGB uint8 [H, W, 3]: in its pixels, within it, from left to right.

        Where faces are expected, those of a moment ago, they may be looked for nearby only. If each is found
        again, no others are looked for.
        """
        ...


class HaarDetector:
    """OpenCV's frontal-face cascade, scale 1.3, 5 neighbours (paper, section III).

    `min_face_fraction` is the smallest wanted face, in shorter sides of the frame: the frame is searched no
    finer than that needs. Looking for expected faces takes a small part of the time of a whole search and
    finds nearly the same boxes (docs/performance.md). Raises ReelmoodError when this OpenCV carries no
    cascade.
    """

    def __init__(self, min_face_fraction: float) -> None:
        cv2.setNumThreads(1)
        self._min_face_fraction = min_face_fraction
        self._cascade = cv2.CascadeClassifier(str(CASCADE))
        if self._cascade.empty():
            raise ReelmoodError(
                f"OpenCV {cv2.__version__} has no {CASCADE.name}: install opencv-python-headless<5"
            )

    def detect(self, image: Image, expected: Sequence[Box] = ()) -> list[Box]:
        """Return the faces of an image; see `FaceDetector`."""
        height, width = image.shape[:2]
        smallest = self._min_face_fraction * min(height, width)
        scale = min(1.0, _SMALLEST / smallest)
        size = (round(width * scale), round(height * scale))
        if min(size) < _WINDOW:
            return []
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        if scale < 1:
            grey = _shrunk(np.asarray(grey, np.uint8), size)
        side = max(_WINDOW, round(smallest * scale))
        near = [self._find_near(np.asarray(grey, np.uint8), box, scale, side) for box in expected]
        found = [corners for corners in near if corners is not None]
        boxes = _distinct([_box(corners, scale, width, height) for corners in found])
        if not expected or len(boxes) < len(expected):
            found = list(self._cascade.detectMultiScale(grey, _SCALE, _NEIGHBOURS, minSize=(side, side)))
            boxes = _distinct([_box(corners, scale, width, height) for corners in found])
        return sorted(boxes, key=lambda box: (box.x, box.y, box.w))

    def _find_near(self, grey: Image, box: Box, scale: float, side: int) -> Sequence[int] | None:
        """Return left, top, width and height, in pixels of `grey`, of the face that is nearest to `box`."""
        left, top, size = box.x * scale, box.y * scale, box.w * scale
        x, y = max(0, int(left - _AROUND * size)), max(0, int(top - _AROUND * size))
        part = grey[y : int(top + (1 + _AROUND) * size) + 1, x : int(left + (1 + _AROUND) * size) + 1]
        least, most = max(side, int(_LEAST_GROWTH * size)), int(_MOST_GROWTH * size) + 1
        found = self._cascade.detectMultiScale(
            part, _SCALE, _NEIGHBOURS, minSize=(least, least), maxSize=(most, most)
        )
        moved = [(x + a, y + b, w, h) for a, b, w, h in found]
        middle = (left + size / 2, top + box.h * scale / 2)
        return min(
            moved,
            key=lambda f: abs(f[0] + f[2] / 2 - middle[0]) + abs(f[1] + f[3] / 2 - middle[1]),
            default=None,
        )


def _shrunk(grey: Image, size: tuple[int, int]) -> Image:
    """Scale down to (width, height) by averaging: in halves, which OpenCV does far faster, then the rest."""
    height, width = grey.shape
    while width >= 2 * size[0] and height >= 2 * size[1]:
        width, height = width // 2, height // 2
        grey = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _box(found: Sequence[int], scale: float, width: int, height: int) -> Box:
    x, y, w, h = (float(value) / scale for value in found)
    left, top = (min(max(round(value), 0), side - 1) for value, side in ((x, width), (y, height)))
    return Box(left, top, max(1, min(round(x + w), width) - left), max(1, min(round(y + h), height) - top))


def _distinct(boxes: list[Box]) -> list[Box]:
    """Keep the largest of the boxes that lie mostly within one another: they are one face."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: (-box.w * box.h, box.x, box.y)):
        if all(_overlap(box, other) < _SAME_FACE * box.w * box.h for other in kept):
            kept.append(box)
    return kept


def _overlap(one: Box, other: Box) -> int:
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    return max(0, width) * max(0, height)
