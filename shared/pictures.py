"""Pictures, decoded."""

import cv2
import numpy as np

from shared.faces.detection import Image


def decode_picture(data: bytes) -> Image | None:
    """Decode a picture, upright as its EXIF orientation says and without its transparency.

    Returns RGB uint8 [H, W, 3], or None for what OpenCV does not read.
    """
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)  # type: ignore[return-value]
    except cv2.error:
        return None
