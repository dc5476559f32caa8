"""All faces, once each, in pixels of the frame."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.faces.detection import HaarDetector
from shared.messages import Box
from shared.video import open_clip
from tests.clips import FaceAt, draw

DETECTOR = HaarDetector(0.125)


def _is_on(box: Box, face: FaceAt) -> bool:
    x, y, side = face
    near = abs(box.x + box.w / 2 - x) < side / 5 and abs(box.y + box.h / 2 - y) < side / 5
    return near and side / 1.4 < box.w < side * 1.4


@pytest.mark.parametrize("factor", [1, 4, 9])
def test_every_face_is_found_in_pixels_of_the_frame_from_left_to_right(factor: int) -> None:
    faces = [(x * factor, y * factor, 60 * factor) for x, y in ((60, 60), (200, 160), (280, 70))]
    boxes = DETECTOR.detect(draw(*faces, width=340 * factor, height=240 * factor))
    assert len(boxes) == 3
    assert all(_is_on(box, face) for box, face in zip(boxes, faces, strict=True))


def test_the_smallest_wanted_face_counts_in_shorter_sides_of_the_frame() -> None:
    face = (100.0, 100.0, 60.0)
    for width, height in ((400, 240), (240, 400)):
        image = draw(face, width=width, height=height)
        assert len(DETECTOR.detect(image)) == 1
        assert HaarDetector(0.5).detect(image) == []


@hypothesis_settings(max_examples=25)
@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    x=st.integers(-20, 100),
    y=st.integers(-20, 100),
    fraction=st.floats(0.05, 1),
)
def test_boxes_lie_within_frames_of_any_size(
    width: int, height: int, x: int, y: int, fraction: float
) -> None:
    image = draw((x, y, 60), width=width, height=height)
    for box in HaarDetector(fraction).detect(image):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.w <= width
        assert box.y + box.h <= height


def test_noise_and_nothing_hold_no_face() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    assert DETECTOR.detect(noise) == []
    assert DETECTOR.detect(np.zeros_like(noise)) == []


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "faces"), [("one_frame.mp4", 1), ("four_copies_grid.mp4", 4), ("no_face_960x540.mp4", 0)]
)
def test_faces_of_real_clips(clips_dir: Path, name: str, faces: int) -> None:
    with open_clip(clips_dir / name) as footage:
        first = next(footage.frames)
    assert len(DETECTOR.detect(first.image)) == faces
