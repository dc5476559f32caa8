"""Drawn faces: a labelled data set that can be made anywhere, for benchmarks that have to train for real."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS

SIDE: Final = 48
# Of each emotion: how far the mouth's corners are raised, how far it is open, and the slope of the brows.
_EXPRESSIONS: Final = {
    "angry": (-3.0, 0.0, 4.0),
    "disgust": (-3.0, 3.0, 0.0),
    "fear": (0.0, 4.0, -4.0),
    "happy": (5.0, 2.0, 0.0),
    "neutral": (0.0, 0.0, 0.0),
    "sad": (-5.0, 0.0, -4.0),
    "surprise": (0.0, 7.0, 0.0),
}


def draw_faces(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return `count` grey faces uint8 [N, 48, 48, 1] and their emotions int64 [N], indices into `EMOTIONS`.

    Every emotion is drawn equally often, up to one; place, shades and noise depend on `seed`.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(EMOTIONS)).astype(np.int64)
    return np.stack([_draw(EMOTIONS[label], rng) for label in labels])[..., None], labels


def _draw(emotion: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    raised, opened, slope = np.array(_EXPRESSIONS[emotion]) + rng.normal(0, 0.5, 3)
    middle = 24 + rng.normal(0, 1.5, 2)
    skin, ink = int(rng.integers(140, 230)), int(rng.integers(0, 70))
    canvas = np.full((SIDE, SIDE), rng.integers(60, 200), np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(middle[0] + x), round(middle[1] + y)

    cv2.ellipse(canvas, at(0, 0), (18, 22), 0, 0, 360, skin, -1)
    for side in (-1, 1):
        cv2.circle(canvas, at(7 * side, -6), 2, ink, -1)
        cv2.line(canvas, at(11 * side, -11 - slope / 2), at(4 * side, -11 + slope / 2), ink, 1)
    mouth = [at(-8, 10 - raised / 2), at(0, 10 + raised / 2 - opened), at(8, 10 - raised / 2)]
    mouth.append(at(0, 10 + raised / 2 + opened))
    cv2.polylines(canvas, [np.array(mouth, np.int32)], True, ink, 1)
    noisy = canvas + rng.normal(0, 8, canvas.shape)
    return noisy.clip(0, 255).astype(np.uint8)
