import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.augmentation import draw_affine, warp
from training.landmarks.points import MIRRORED, mirror, move, point_errors, summarise
from training.recipe import Augmentation

SIDE = 112


def dots(places: torch.Tensor) -> torch.Tensor:
    """Draw one soft dot per picture, [B, 1, SIDE, SIDE], at `places` [B, 2], fractions of the side."""
    centres = (torch.arange(SIDE) + 0.5) / SIDE
    right = centres[None, None, :] - places[:, 0, None, None]
    down = centres[None, :, None] - places[:, 1, None, None]
    return torch.exp(-(right**2 + down**2) / (2 * 0.03**2))[:, None]


def centroids(pictures: torch.Tensor) -> torch.Tensor:
    """Return where the dots are [B, 2], by their centre of mass."""
    centres = (torch.arange(SIDE) + 0.5) / SIDE
    weights = pictures[:, 0] / pictures.sum((2, 3))[:, :, None]
    return torch.stack(((weights.sum(1) * centres).sum(1), (weights.sum(2) * centres).sum(1)), dim=1)


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.floats(0, 45), st.floats(0, 0.3), st.floats(0, 0.1), st.booleans())
def test_a_point_moves_with_its_picture(
    seed: int, degrees: float, scale: float, shift: float, flip: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    places = 0.4 + 0.2 * torch.rand(4, 2, generator=generator)
    ranges = Augmentation(degrees=degrees, scale=scale, shift=shift, flip=float(flip))
    affine = draw_affine(4, ranges, generator)
    # All 68 points in one place, so that it does not matter which is which in the mirror image.
    moved = move(places[:, None].expand(-1, 68, -1), affine)
    torch.testing.assert_close(moved[:, 0], centroids(warp(dots(places), affine, SIDE)), atol=2e-3, rtol=0)


def test_left_and_right_change_names_in_a_mirror_image() -> None:
    points = torch.rand(1, 68, 2, generator=torch.Generator().manual_seed(0))
    affine = torch.tensor([[[-1.0, 0, 0], [0, 1.0, 0]]])
    moved = move(points, affine)
    for left, right in (
        (0, 16),
        (17, 26),
        (36, 45),
        (39, 42),
        (41, 46),
        (31, 35),
        (48, 54),
        (60, 64),
        (8, 8),
    ):
        torch.testing.assert_close(moved[0, right], torch.stack((1 - points[0, left, 0], points[0, left, 1])))
    np.testing.assert_allclose(mirror(points.numpy()), moved.numpy(), atol=1e-6)


def test_every_point_has_one_twin() -> None:
    twins = np.array(MIRRORED)
    assert twins[twins].tolist() == list(range(68))
    # The middle line: bridge and tip of the nose, chin, middles of the lips.
    assert np.flatnonzero(twins == np.arange(68)).tolist() == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]


def test_errors_are_in_distances_of_the_true_eyes() -> None:
    truth = np.array([[[0, 0], [0.5, 0], [0, 1]], [[1, 1], [1, 1], [0, 0]]], np.float32)
    found = truth + np.array([[0.03, 0.04]], np.float32)
    errors = point_errors(found, truth, (0, 1))
    np.testing.assert_allclose(errors, np.full((1, 3), 0.1), rtol=1e-5)


def test_summary() -> None:
    errors = np.repeat(np.arange(1, 22)[:, None] / 100, 5, axis=1)
    errors[-1] = 1.0
    figures = summarise(errors)
    assert figures.count == 21
    assert (figures.mean, figures.median, figures.high) == pytest.approx((3.1 / 21, 0.11, 0.20))
    assert np.isnan(summarise(np.zeros((0, 5))).mean)
