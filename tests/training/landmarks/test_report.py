import json
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.faces.alignment import TEMPLATE, TEMPLATE_SIDE, Landmarks
from training.landmarks.mtcnn import five_points
from training.landmarks.points import Errors
from training.landmarks.report import POINTS, FivePoints, Report, against_mtcnn

FIVE = np.asarray(TEMPLATE / TEMPLATE_SIDE, np.float32)


class BrightSpot:
    """An aligner that takes the brightest pixel for all five points, and finds nothing in the dark."""

    def find(self, crops: Sequence[NDArray[np.uint8]]) -> Landmarks:
        points = np.zeros((len(crops), 5, 2), np.float32)
        found = np.zeros(len(crops), np.bool_)
        for index, crop in enumerate(crops):
            _, highest, _, place = cv2.minMaxLoc(crop[:, :, 0])
            points[index], found[index] = place, highest > 100
        return Landmarks(points, found)


def test_points_of_the_crop_are_told_in_sides_of_the_picture() -> None:
    images = np.zeros((40, 160, 160, 1), np.uint8)
    images[:39, 80, 40] = 255
    landmarks = five_points(images, BrightSpot())
    # The centre of pixel 40 is at 40.5 of 160.
    np.testing.assert_allclose(
        landmarks.points[:39], np.full((39, 5, 2), [40.5 / 160, 80.5 / 160]), rtol=1e-5
    )
    assert landmarks.found.tolist() == [True] * 39 + [False]


def test_68_points_are_compared_with_the_five_that_were_found() -> None:
    points = np.zeros((2, 68, 2), np.float32)
    points[:, 36:42], points[:, 42:48], points[:, 30] = FIVE[0], FIVE[1], FIVE[2]
    points[:, 48], points[:, 54] = FIVE[3], FIVE[4]
    truth = np.stack((FIVE, FIVE))
    # Eyes are 0.3 apart: the left corner of the mouth is off by a tenth of that.
    points[0, 48] += (0.03, 0)
    five = against_mtcnn(points, Landmarks(truth, np.array([True, False])))
    assert five.errors.count == 1
    assert five.errors.mean == pytest.approx(0.1 / 5, rel=1e-4)
    assert list(five.points.values()) == pytest.approx([0, 0, 0, 0.1, 0], abs=1e-5)


def test_nothing_found_is_told_as_such() -> None:
    nothing = against_mtcnn(np.zeros((1, 68, 2), np.float32), Landmarks(FIVE[None], np.array([False])))
    report = Report(10, 1, 0, Errors(1, 0.1, 0.1, 0.1), nothing, nothing)
    assert json.loads(report.to_json())["teacher_mtcnn"]["errors"] == {
        "count": 0,
        "mean": None,
        "median": None,
        "high": None,
    }


def test_markdown_tells_both_errors_in_percent() -> None:
    student = FivePoints(Errors(80, 0.07, 0.06, 0.2), dict.fromkeys(POINTS, 0.07))
    teacher = FivePoints(
        Errors(80, 0.05, 0.04, 0.1), dict(zip(POINTS, (0.01, 0.02, 0.03, 0.04, 0.05), strict=True))
    )
    text = Report(1000, 100, 80, Errors(100, 0.0312, 0.03, 0.05), student, teacher).to_markdown()
    assert "1,000 pictures" in text
    assert "| MobileFaceNet | teacher, 68 points, outer eye corners | 100 | 3.1 % | 3.0 % | 5.0 % |" in text
    assert "| 68-point net | MTCNN, 5 points, eye centres | 80 | 5.0 % | 4.0 % | 10.0 % |" in text
    assert "| MobileFaceNet | MTCNN, 5 points, eye centres | 80 | 7.0 % | 6.0 % | 20.0 % |" in text
    assert "| 68-point net | 1.0 % | 2.0 % | 3.0 % | 4.0 % | 5.0 % |" in text
