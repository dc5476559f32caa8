"""Preprocessing: what a model is shown of an aligned face, as its `config.json` says."""

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.poster.config import Preprocessing


def preprocess(faces: NDArray[np.uint8], how: Preprocessing, side: int) -> NDArray[np.float32]:
    """Return aligned faces, uint8 RGB [N, s, s, 3], as normalised float32 [N, 3, side, side].

    In the order of `Preprocessing`; its `zoom` belongs to the warp that made the faces. Detail is only ever
    taken away: a `resample` of the faces' own side or above changes nothing.
    """
    grey = how.channels == "grey"
    batch = np.empty((len(faces), 3, side, side), np.float32)
    for shown, face in zip(batch, faces, strict=True):
        picture = np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY) if grey else face, np.uint8)
        if how.resample is not None and how.resample < len(picture):
            picture = _shrink(picture, how.resample)
        if side < len(picture):
            picture = _shrink(picture, side)
        scaled = picture.astype(np.float32) / 255
        if side > len(picture):
            scaled = np.asarray(cv2.resize(scaled, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)
        shown[:] = scaled if grey else scaled.transpose(2, 0, 1)
    batch -= np.array(how.mean, np.float32)[:, None, None]
    batch /= np.array(how.std, np.float32)[:, None, None]
    return batch


def _shrink(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
