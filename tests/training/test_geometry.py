import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shared.faces.alignment import TEMPLATE, TEMPLATE_SIDE
from shared.poster.streams import LandmarkNet
from training.datasets import Faces
from training.geometry import find_points, five_of_68, measure

POINTS = np.asarray(TEMPLATE / TEMPLATE_SIDE, np.float32)


@given(st.floats(0.5, 1.5), st.floats(-60, 60), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_a_moved_template_is_measured(scale: float, degrees: float, right: float, down: float) -> None:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (POINTS - 0.5) @ (scale * turn).T + 0.5 + np.array([right, down])
    geometry = measure(np.asarray(moved[None], np.float32))
    assert geometry.scale.mean == pytest.approx(scale, abs=1e-3)
    assert geometry.degrees.mean == pytest.approx(degrees, abs=0.1)
    assert (geometry.right.mean, geometry.down.mean) == pytest.approx((right, down), abs=1e-3)
    assert geometry.scale.deviation == 0


def test_spread_is_over_the_pictures() -> None:
    geometry = measure(np.stack((POINTS, 0.5 + 1.2 * (POINTS - 0.5))))
    assert geometry.scale.mean == pytest.approx(1.1, abs=1e-3)
    assert geometry.scale.deviation == pytest.approx(0.1, abs=1e-3)


def test_five_points_of_68() -> None:
    points = np.zeros((1, 68, 2), np.float32)
    points[0, 36:42], points[0, 42:48], points[0, 30] = POINTS[0], POINTS[1], POINTS[2]
    points[0, 48], points[0, 54] = POINTS[3], POINTS[4]
    np.testing.assert_allclose(five_of_68(points)[0], POINTS, rtol=1e-6)


def test_points_are_found_in_every_picture() -> None:
    torch.manual_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), dtype=np.uint8)
    net = LandmarkNet()
    points = find_points(Faces(images, np.zeros(5, np.int64), ("",) * 5), net, batch_size=2)
    one = find_points(Faces(images[3:4], np.zeros(1, np.int64), ("",)), net)
    assert points.shape == (5, 5, 2)
    np.testing.assert_allclose(points[3], one[0], atol=1e-5)
