"""The box fills the centre of its crop, wherever it lies."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.ingest.crops import cut_crop
from shared.faces.detection import Image
from shared.messages import Box


def _decode(jpeg: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def _ramp(height: int, width: int) -> Image:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns * 255 // width, rows * 255 // height, 0 * rows + 80], -1).astype(np.uint8)


def test_a_small_crop_is_the_frame_around_the_box() -> None:
    image = _ramp(120, 160)
    jpeg, margin = cut_crop(image, Box(60, 40, 40, 40), margin=0.25, size=160, quality=100)
    assert margin == 0.25
    assert np.abs(_decode(jpeg).astype(int) - image[30:90, 50:110]).max() <= 4


def test_a_large_crop_is_scaled_down() -> None:
    image = _ramp(1200, 1600)
    jpeg, _ = cut_crop(image, Box(600, 400, 400, 400), margin=0.25, size=160, quality=100)
    expected = cv2.resize(image[300:900, 500:1100], (160, 160), interpolation=cv2.INTER_AREA)
    assert np.abs(_decode(jpeg).astype(int) - expected).max() <= 4


def test_outside_the_frame_it_is_black() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    crop = _decode(cut_crop(image, Box(0, 60, 40, 40), margin=0.5, size=160, quality=100)[0])
    assert crop.shape == (80, 80, 3)
    assert crop[:, :16].max() <= 8
    assert crop[64:].max() <= 8
    assert crop[4:56, 24:].min() >= 190


@pytest.mark.parametrize(("w", "h"), [(40, 20), (20, 40), (40, 40)])
def test_a_box_that_the_frame_cuts_off_is_made_square_around_its_centre(w: int, h: int) -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[100 - h // 2 : 100 + h // 2, 100 - w // 2 : 100 + w // 2] = 255
    crop = _decode(
        cut_crop(image, Box(100 - w // 2, 100 - h // 2, w, h), margin=0.25, size=160, quality=100)[0]
    )
    assert crop.shape == (60, 60, 3)
    rows, columns = np.nonzero(crop[..., 0] > 128)
    assert (rows.mean(), columns.mean()) == pytest.approx((29.5, 29.5), abs=0.6)


@hypothesis_settings(max_examples=50)
@given(
    x=st.integers(0, 89),
    y=st.integers(0, 69),
    w=st.integers(1, 90),
    h=st.integers(1, 70),
    margin=st.floats(0, 1),
    size=st.integers(48, 200),
)
def test_any_box_gives_a_square_that_is_no_larger_than_asked(
    x: int, y: int, w: int, h: int, margin: float, size: int
) -> None:
    box = Box(x, y, min(w, 90 - x), min(h, 70 - y))
    jpeg, real = cut_crop(_ramp(70, 90), box, margin=margin, size=size, quality=95)
    side = max(box.w, box.h)
    assert _decode(jpeg).shape[:2] == (min(size, round(side * (1 + 2 * real))),) * 2
    assert abs(real - margin) * side <= 0.5 + 1e-9
