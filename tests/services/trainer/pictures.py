"""A data set drawn by a test: every emotion has a shade of its own."""

from pathlib import Path

import cv2
import numpy as np

from shared.emotions import EMOTIONS


def draw_faces(root: Path, train: int = 8, test: int = 1) -> Path:
    """Write `train` and `test` pictures of each emotion in Kaggle's layout of FER2013."""
    random = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        for shade, emotion in enumerate(EMOTIONS):
            folder = root / split / emotion
            folder.mkdir(parents=True)
            for number in range(count):
                noise = random.integers(0, 40, (48, 48)) + 30 * shade
                assert cv2.imwrite(str(folder / f"{number}.png"), noise.astype(np.uint8))
    return root
