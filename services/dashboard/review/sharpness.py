"""How sharp the picture of a face is."""

from typing import Final

import cv2
import numpy as np

SHARP: Final = 25.0
"""Sharpness from which a face can be judged: in six clips, faces out of focus had 4–14, others 90–560."""

_SIDE: Final = 112


def sharpness(picture: bytes) -> float | None:
    """Return the variance of the Laplacian of a face, a JPEG, in grey at 112×112; None if it is damaged.

    Source: Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy (ICPR 2000).
    """
    try:
        grey = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        return None
    if grey is None:
        return None
    alike = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(alike, cv2.CV_64F).var())
