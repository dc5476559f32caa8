"""Pictures and crops: decoded, or refused before they take any memory."""

import struct

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pictures import decode_crop, decode_picture
from tests.clips import draw


def _encoded(suffix: str, width: int = 60, height: int = 60) -> bytes:
    return cv2.imencode(suffix, draw((30, 30, 40), width=width, height=height))[1].tobytes()


def test_a_crop_is_a_square_jpeg() -> None:
    crop = decode_crop(_encoded(".jpg"))
    assert crop is not None
    assert crop.shape == (60, 60, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        _encoded(".jpg", 60, 50),
        _encoded(".png"),
        _encoded(".jpg")[:50],
        _encoded(".jpg", 1030, 1030),
        _encoded(".jpg").replace(struct.pack(">HH", 60, 60), struct.pack(">HH", 30_000, 30_000)),
    ],
    ids=["nothing", "text", "not square", "png", "cut off", "large", "a bomb"],
)
def test_anything_else_is_none(data: bytes) -> None:
    assert decode_crop(data) is None


@given(st.binary(max_size=300))
def test_bytes_are_a_picture_or_none(data: bytes) -> None:
    for start in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"):
        for decode in (decode_crop, decode_picture):
            image = decode(start + data)
            assert image is None or image.ndim == 3
