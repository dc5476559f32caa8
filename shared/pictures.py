"""Pictures, decoded."""

from io import BytesIO
from typing import Final

import cv2
import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from shared.faces.detection import Image

_LARGEST_CROP: Final = 1024


def decode_picture(data: bytes) -> Image | None:
    """Decode a picture, upright as its EXIF orientation says and without its transparency.

    Returns RGB uint8 [H, W, 3], or None for what OpenCV does not read.
    """
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)  # type: ignore[return-value]
    except cv2.error:
        return None


def decode_crop(data: bytes) -> Image | None:
    """Decode a face crop: a square JPEG of at most 1024 pixels a side.

    Returns RGB uint8 [S, S, 3], or None for anything else. The size is read from the header first: a few
    bytes can promise a picture that no memory holds.
    """
    try:
        width, height = JpegImageFile(BytesIO(data)).size
    except (SyntaxError, OSError, ValueError):
        return None
    image = decode_picture(data) if width == height <= _LARGEST_CROP else None
    return image if image is not None and image.shape[0] == image.shape[1] else None
