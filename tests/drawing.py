"""A drawn face that Haar and MTCNN take for one, so that tests need no photograph."""

import cv2
import numpy as np
from numpy.typing import NDArray


def drawn_face(side: int, mouth: float = 0.035) -> NDArray[np.uint8]:
    """Return a face, RGB [side, side, 3]; `mouth` is the half height of its mouth, in sides."""
    size = 4 * side
    picture = np.full((size, size), 90, np.uint8)

    def ellipse(x: float, y: float, half_width: float, half_height: float, grey: int) -> None:
        centre = (round(x * size), round(y * size))
        axes = (round(half_width * size), round(half_height * size))
        cv2.ellipse(picture, centre, axes, 0, 0, 360, grey, -1, cv2.LINE_AA)

    ellipse(0.5, 0.5, 0.36, 0.46, 190)
    ellipse(0.5, 0.12, 0.36, 0.16, 50)
    for eye in (0.34, 0.66):
        ellipse(eye, 0.42, 0.10, 0.055, 120)
        ellipse(eye, 0.36, 0.10, 0.022, 50)
        ellipse(eye, 0.43, 0.065, 0.03, 230)
        ellipse(eye, 0.43, 0.03, 0.03, 30)
    for nostril in (0.46, 0.54):
        ellipse(nostril, 0.62, 0.018, 0.012, 90)
    ellipse(0.5, 0.5, 0.035, 0.13, 215)
    ellipse(0.5, 0.76, 0.13, mouth, 100)
    ellipse(0.5, 0.76, 0.10, mouth / 3, 60)
    soft = cv2.GaussianBlur(picture, (0, 0), size * 0.012)
    small = cv2.resize(soft, (side, side), interpolation=cv2.INTER_AREA)
    return np.repeat(small.astype(np.uint8)[:, :, None], 3, axis=2)


def frame_with_faces(
    width: int, height: int, faces: list[tuple[int, int, int]], mouth: float = 0.035
) -> NDArray[np.uint8]:
    """Return a frame, RGB [height, width, 3], with drawn faces at (left, top, side)."""
    frame = np.full((height, width, 3), 100, np.uint8)
    for left, top, side in faces:
        frame[top : top + side, left : left + side] = drawn_face(side, mouth)
    return frame
