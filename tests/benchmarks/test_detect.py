"""Detection beside a search of every size."""

from pathlib import Path

import pytest

from benchmarks.detect import Settings, found_again, measure, overlap
from shared.errors import ClipError
from shared.messages import Box


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert overlap(Box(0, 0, 10, 10), Box(10, 0, 10, 10)) == 0
    assert overlap(Box(3, 4, 5, 6), Box(3, 4, 5, 6)) == 1


def test_faces_are_found_again_frame_by_frame_if_they_are_large_enough() -> None:
    face, elsewhere, small = Box(0, 0, 50, 50), Box(100, 0, 50, 50), Box(0, 0, 20, 20)
    wanted = [[face], [face, small], [elsewhere]]
    found = [[Box(1, 1, 50, 50)], [elsewhere], [face, elsewhere]]
    assert found_again(found, wanted, smallest=30) == pytest.approx(2 / 3)
    assert found_again([[]], [[small]], smallest=30) is None


def test_each_step_is_timed_on_every_frame(two_faces: Path, tmp_path: Path) -> None:
    settings = Settings(clip=str(two_faces), frames=4, repeats=1)
    measured = measure(settings, tmp_path, False, lambda _: None)
    assert (measured.width, measured.height, measured.frames) == (320, 180, 4)
    decode, follow, detect, full = measured.rows
    assert [row.step for row in measured.rows] == ["decode", "follow", "detect", "full search"]
    assert (decode.faces, follow.faces, detect.faces, full.faces) == (None, 8, 8, 8)
    assert (follow.found_again, detect.found_again, full.found_again) == (1, 1, 1)
    assert all(0 < row.ms_p50 <= row.ms_p95 for row in measured.rows)


def test_the_clip_can_be_made_larger_first(two_faces: Path, tmp_path: Path) -> None:
    measured = measure(Settings(clip=str(two_faces), frames=1, repeats=1), tmp_path, True, lambda _: None)
    assert (measured.width, measured.height) == (1280, 720)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="there is no file"):
        measure(Settings(clip=str(tmp_path / "gone.mp4")), tmp_path, False, lambda _: None)
