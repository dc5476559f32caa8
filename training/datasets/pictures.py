"""Pictures of a data set: files, or pixels that stood in a table."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import DataError

Picture = Path | NDArray[np.uint8]
"""A file that OpenCV can decode, or grey pixels [H, W]."""


def read_picture(picture: Picture, grey: bool) -> NDArray[np.uint8]:
    """Return a picture decoded, uint8 [H, W, C]: C = 1 (`grey`) or 3 (RGB).

    Raises DataError, naming the file, when it cannot be read or decoded.
    """
    if isinstance(picture, np.ndarray):
        return np.repeat(picture[:, :, None], 1 if grey else 3, axis=2)
    flags = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB
    try:
        data = np.frombuffer(picture.read_bytes(), np.uint8)
        image = cv2.imdecode(data, flags) if data.size else None
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise DataError(f"{picture} cannot be decoded as a picture")
    return np.asarray(image.reshape(*image.shape[:2], -1), np.uint8)


def resize(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Bring a picture [H, W, C] to [side, side, C], whatever its shape."""
    if image.shape[:2] == (side, side):
        return image
    # Averaging is for scaling down: a picture that is scaled up would come out in squares.
    flags = cv2.INTER_AREA if min(image.shape[:2]) > side else cv2.INTER_LINEAR
    resized = cv2.resize(image, (side, side), interpolation=flags)
    return np.asarray(resized.reshape(side, side, -1), np.uint8)


def digest(picture: Picture) -> str:
    """Return the SHA-256, in hex, of a file's bytes or of the pixels. Raises DataError as `read_picture`."""
    if isinstance(picture, np.ndarray):
        return hashlib.sha256(picture.tobytes()).hexdigest()
    try:
        with picture.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{picture} cannot be read: {error.strerror}") from error
