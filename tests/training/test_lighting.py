import cv2
import numpy as np
import pytest
import torch

from training.lighting import EIGENVALUES, EIGENVECTORS, draw_lighting


def draws(count: int, strength: float = 0.1, grey: bool = False, seed: int = 0) -> torch.Tensor:
    return draw_lighting(count, strength, grey, torch.Generator().manual_seed(seed))


def test_the_principal_colours_are_orthonormal() -> None:
    vectors = np.array(EIGENVECTORS)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(3), atol=2e-4)


def test_the_sum_is_that_of_the_paper() -> None:
    factors = 0.1 * torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    for shift, row in zip(draws(5), factors.tolist(), strict=True):
        expected = [
            sum(EIGENVECTORS[channel][index] * row[index] * EIGENVALUES[index] for index in range(3))
            for channel in range(3)
        ]
        np.testing.assert_allclose(shift[:, 0, 0], expected, rtol=1e-4, atol=1e-7)


def test_the_spread_is_that_of_natural_colours() -> None:
    shift = draws(200_000)[:, :, 0, 0].double().numpy()
    vectors, values = np.array(EIGENVECTORS), np.array(EIGENVALUES)
    covariance = 0.1**2 * vectors @ np.diag(values**2) @ vectors.T
    np.testing.assert_allclose(np.cov(shift.T), covariance, atol=0.02 * covariance.max())
    np.testing.assert_allclose(shift.mean(0), 0, atol=5 * 0.0128 / np.sqrt(200_000))


def test_a_grey_picture_gets_the_grey_of_the_colour() -> None:
    colours = 0.5 + draws(40)[:, :, 0, 0].numpy()
    grey = cv2.cvtColor(colours[None], cv2.COLOR_RGB2GRAY)[0]
    shift = draws(40, grey=True)
    assert shift.shape == (40, 1, 1, 1)
    np.testing.assert_allclose(0.5 + shift[:, 0, 0, 0], grey, atol=1e-5)


@pytest.mark.parametrize("strength", [0.05, 0.2])
def test_strength_scales(strength: float) -> None:
    torch.testing.assert_close(draws(3, strength), draws(3, 1.0) * strength)
