"""All faces, once each, in pixels of the frame."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from benchmarks.detect import overlap
from services.ingest.examination import examine
from services.ingest.progress import Progress
from services.ingest.shots import ShotDetector
from shared.faces.detection import HaarDetector
from shared.messages import Box
from shared.settings import Settings
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


def test_expected_faces_are_followed_and_no_others_are_looked_for() -> None:
    moved = [(66.0, 62.0, 62.0), (196.0, 163.0, 58.0)]
    image = draw(*moved, (280, 70, 60), width=340, height=240)
    boxes = DETECTOR.detect(image, [Box(30, 30, 60, 60), Box(170, 130, 60, 60)])
    assert len(boxes) == 2
    assert all(_is_on(box, face) for box, face in zip(boxes, moved, strict=True))


@pytest.mark.parametrize("lost", [Box(280, 180, 55, 55), Box(0, 0, 340, 240), Box(334, 234, 6, 6)])
def test_when_an_expected_face_is_not_there_the_whole_frame_is_searched(lost: Box) -> None:
    image = draw((60, 60, 60), (280, 70, 60), width=340, height=240)
    assert DETECTOR.detect(image, [Box(30, 30, 60, 60), lost]) == DETECTOR.detect(image)


def test_two_expected_faces_that_become_one_are_searched_for() -> None:
    image = draw((60, 60, 60), (280, 70, 60), width=340, height=240)
    assert DETECTOR.detect(image, [Box(28, 30, 60, 60), Box(33, 30, 60, 60)]) == DETECTOR.detect(image)


@pytest.mark.shared
def test_followed_faces_are_those_of_a_whole_search(clips_dir: Path) -> None:
    wanted, again = 0, 0
    for name in ("expressive_640x360.mp4", "many_faces_cuts_640x360.mp4", "vp9.webm"):
        settings, shots, progress = Settings(), ShotDetector(), Progress()
        with open_clip(clips_dir / name) as footage:
            for frame in islice(footage.frames, 120):
                progress, _, faces = examine(
                    frame, progress, clip="c", shots=shots, detector=DETECTOR, settings=settings
                )
                whole = DETECTOR.detect(frame.image)
                wanted += len(whole)
                again += sum(any(overlap(box, face.place.box) >= 0.8 for face in faces) for box in whole)
    assert again >= 0.99 * wanted > 200
