"""Cuts are seen at once, and by a detector that went on in the middle too."""

import pytest

from services.ingest.shots import ShotDetector
from shared.faces.detection import Image
from tests.clips import draw

RED, BLUE, GREEN = (180, 60, 50), (40, 60, 170), (210, 230, 120)


def _shots(*lengths: int, width: int = 320) -> list[Image]:
    colours = [RED, BLUE, GREEN]
    return [
        draw((60 + number, 60, 56), width=width, height=180, background=colours[shot % 3])
        for shot, length in enumerate(lengths)
        for number in range(length)
    ]


def test_a_cut_is_seen_at_its_first_frame() -> None:
    detector = ShotDetector()
    cuts = [index for index, image in enumerate(_shots(6, 5, 4)) if detector.is_cut(image)]
    assert cuts == [6, 11]


def test_shots_of_one_frame_count() -> None:
    detector = ShotDetector()
    assert [detector.is_cut(image) for image in _shots(2, 1, 1, 2)] == [False, False, True, True, True, False]


def test_movement_is_no_cut() -> None:
    detector = ShotDetector()
    assert not any(detector.is_cut(image) for image in _shots(20))


@pytest.mark.parametrize("start", range(1, 12))
def test_shown_the_frame_before_a_new_detector_goes_on_alike(start: int) -> None:
    images = _shots(4, 4, 4)
    detector, resumed = ShotDetector(), ShotDetector()
    expected = [detector.is_cut(image) for image in images]
    resumed.is_cut(images[start - 1])
    assert [resumed.is_cut(image) for image in images[start:]] == expected[start:]
