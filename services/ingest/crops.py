"""The crops that travel to the workers."""

import cv2
import numpy as np

from shared.faces.detection import Image
from shared.messages import Box


def cut_crop(image: Image, box: Box, *, margin: float, size: int, quality: int) -> tuple[bytes, float]:
    """Cut a square around a face out of a frame, RGB uint8 [H, W, 3]; what lies outside the frame is black.

    The square is the box's, made square around its centre, with `margin` of its side more on each side; it is
    scaled down where its side is longer than `size` pixels. Returns a JPEG of the given quality, and the
    margin that whole pixels made of it.
    """
    side = max(box.w, box.h)
    pad = round(side * margin)
    whole = side + 2 * pad
    left = box.x + (box.w - side) // 2 - pad
    top = box.y + (box.h - side) // 2 - pad
    height, width = image.shape[:2]
    x, y = max(0, left), max(0, top)
    inside = image[y : min(height, top + whole), x : min(width, left + whole)]
    crop = np.zeros((whole, whole, 3), np.uint8)
    crop[y - top : y - top + inside.shape[0], x - left : x - left + inside.shape[1]] = inside
    if whole > size:
        crop = np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return jpeg.tobytes(), pad / side
