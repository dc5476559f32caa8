"""Evaluation as shipped: pictures as clip frames, through everything that the product does with a frame."""

from collections.abc import Sequence
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

PICTURE_SIDE: Final = 160
MARGIN: Final = 40
"""Pixels of edge on each side of a picture in its frame."""
_BATCH: Final = 32


class FrameReader(Protocol):
    """What the product does with a frame: detect faces, align them, read their emotions."""

    model: str
    """Id of the model, `name@hash`."""
    parameters: int
    """How many parameters it has."""
    device: str
    """The device really used, in words."""

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return for each frame, RGB uint8 [H, W, 3], the probabilities of its largest face.

        [N, 7] in the order of `EMOTIONS`, NaN where no face is found.
        """
        ...


def read_as_shipped(images: NDArray[np.uint8], reader: FrameReader) -> NDArray[np.float32]:
    """Return what the product reads in pictures, uint8 [N, H, W, 1 or 3]; see `FrameReader.read`."""
    answers = [
        reader.read([as_frame(image) for image in images[start : start + _BATCH]])
        for start in range(0, len(images), _BATCH)
    ]
    return np.concatenate(answers)


def as_frame(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture [H, W, 1 or 3] as a film frame would show it, RGB uint8 [240, 240, 3].

    It is brought to a side of 160 pixels. Pictures of data sets end at the face, unlike frames, and of faces
    that fill their frame Haar finds one in five: the edges are drawn out by a quarter.
    """
    flags = cv2.INTER_AREA if min(image.shape[:2]) > PICTURE_SIDE else cv2.INTER_LINEAR
    large = cv2.resize(image, (PICTURE_SIDE, PICTURE_SIDE), interpolation=flags)
    large = large.reshape(PICTURE_SIDE, PICTURE_SIDE, -1)
    wide = np.pad(large, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="edge")
    return np.ascontiguousarray(np.broadcast_to(wide, (*wide.shape[:2], 3)), np.uint8)
