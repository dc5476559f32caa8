import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.faces.preprocessing import preprocess
from shared.poster.config import Preprocessing

PLAIN = Preprocessing(mean=(0, 0, 0), std=(1, 1, 1))


def _faces(count: int, side: int) -> NDArray[np.uint8]:
    return np.random.default_rng(side).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_mean_and_deviation_belong_to_their_channel() -> None:
    faces = np.empty((1, 8, 8, 3), np.uint8)
    faces[:] = (255, 51, 0)
    how = Preprocessing(mean=(0.5, 0.1, 0.25), std=(0.5, 0.2, 0.1))
    (shown,) = preprocess(faces, how, 8)
    assert shown.dtype == np.float32
    np.testing.assert_allclose(shown[:, 3, 4], [1, 0.5, -2.5], rtol=1e-5)
    assert (shown == shown[:, :1, :1]).all()


@pytest.mark.parametrize("side", [8, 20, 33])
def test_each_face_is_shown_as_if_it_were_alone(side: int) -> None:
    how = Preprocessing(channels="grey", resample=12)
    faces = _faces(5, 20)
    together = preprocess(faces, how, side)
    assert together.shape == (5, 3, side, side)
    for face, shown in zip(faces, together, strict=True):
        np.testing.assert_array_equal(preprocess(face[None], how, side)[0], shown)


def test_the_model_side_is_left_untouched() -> None:
    faces = _faces(3, 16)
    np.testing.assert_array_equal(preprocess(faces, PLAIN, 16), faces.transpose(0, 3, 1, 2) / np.float32(255))


def test_grey_is_the_luma_in_every_channel() -> None:
    faces = np.empty((1, 8, 8, 3), np.uint8)
    faces[:] = (200, 100, 50)
    how = Preprocessing(mean=(0, 0, 0), std=(1, 1, 1), channels="grey")
    np.testing.assert_allclose(
        preprocess(faces, how, 8), (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255, atol=0.002
    )


def test_resample_averages_detail_away_and_comes_back_bilinear() -> None:
    faces = _faces(1, 96)
    how = Preprocessing(mean=(0, 0, 0), std=(1, 1, 1), resample=48)
    averaged = faces[0].reshape(48, 2, 48, 2, 3).mean(axis=(1, 3))
    expected = cv2.resize(averaged / 255, (128, 128), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(preprocess(faces, how, 128)[0], expected.transpose(2, 0, 1), atol=0.004)


@given(st.integers(8, 40), st.integers(8, 40))
def test_resample_never_invents_detail(side: int, extra: int) -> None:
    faces = _faces(1, side)
    how = Preprocessing(mean=(0, 0, 0), std=(1, 1, 1), resample=side + extra)
    np.testing.assert_array_equal(preprocess(faces, how, side), preprocess(faces, PLAIN, side))


def test_no_face_is_an_empty_batch() -> None:
    assert preprocess(np.empty((0, 8, 8, 3), np.uint8), PLAIN, 16).shape == (0, 3, 16, 16)
