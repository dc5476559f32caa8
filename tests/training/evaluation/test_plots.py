from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from training.evaluation.calibration import Calibration
from training.evaluation.plots import BLUE, draw_confusion, draw_reliability
from training.metrics import Scores, score

LABELS = EMOTIONS[:2]


def area(file: Path, colour: str) -> int:
    """Return how many pixels of a picture have a colour, "#rrggbb"."""
    picture = np.asarray(cv2.imread(str(file), cv2.IMREAD_COLOR_RGB))
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int(np.all(picture == rgb, axis=2).sum())


def drawn(file: Path, scores: Scores) -> NDArray[np.uint8]:
    draw_confusion({"label": scores}, file)
    picture = cv2.imread(str(file))
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_all_pictures_on_the_diagonal_make_it_dark(tmp_path: Path) -> None:
    right = drawn(tmp_path / "right.png", score(np.array([0, 1]), np.array([0, 1]), LABELS))
    wrong = drawn(tmp_path / "wrong.png", score(np.array([0, 1]), np.array([1, 0]), LABELS))
    # The two differ in the matrix alone, whose upper left cell is the first of the diagonal.
    rows, columns = np.nonzero((right != wrong).any(axis=2))
    corner = (slice(rows.min(), (rows.min() + rows.max()) // 2), slice(columns.min(), columns.min() + 50))
    assert right[corner].mean() < 130 < 230 < wrong[corner].mean()


def test_pictures_without_a_face_get_a_column(tmp_path: Path) -> None:
    full = score(np.array([0, 1]), np.array([0, -1]), LABELS)
    with_column = drawn(tmp_path / "three.png", full)
    without = drawn(tmp_path / "two.png", full.answered())
    assert (with_column != without).any()


def test_bars_are_as_high_as_the_accuracy(tmp_path: Path) -> None:
    def blue(accuracy: float) -> int:
        one = Calibration(np.array([0, 5]), np.array([0, 0.9]), np.array([0, accuracy]))
        draw_reliability({"label": one}, tmp_path / "reliability.png")
        return area(tmp_path / "reliability.png", BLUE)

    low, middle, high = blue(0.2), blue(0.5), blue(0.8)
    assert high - middle == pytest.approx(middle - low, rel=0.05)
    assert middle > low
