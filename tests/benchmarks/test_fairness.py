"""Clips of different length at once."""

from pathlib import Path

import pytest

from benchmarks.fairness import Settings, lengths_of, measure, rows_of
from benchmarks.models import Choice


def test_each_clip_is_longer_than_the_last_by_the_same_factor() -> None:
    assert lengths_of(Settings(clip="a", clips=5, shortest=10, longest=160)) == [10, 20, 40, 80, 160]
    assert lengths_of(Settings(clip="a", clips=4, shortest=1, longest=3)) == [1, 2, 3, 4]
    assert lengths_of(Settings(clip="a", clips=1, shortest=7, longest=9)) == [7]


def test_what_was_measured_alone_is_compared() -> None:
    short, middle, long = rows_of({900: 80.0, 10: 3.0, 90: 20.0}, {10: 1.5, 900: 40.0})
    assert (short.frames, short.alone_s, short.times) == (10, 1.5, 2)
    assert (middle.frames, middle.alone_s, middle.times) == (90, None, None)
    assert (long.together_s, long.times) == (80, 2)


def test_clips_go_through_alone_and_together(two_faces: Path, tmp_path: Path) -> None:
    told: list[str] = []
    measured = measure(
        Settings(
            clip=str(two_faces),
            model=Choice(name="nano"),
            clips=3,
            shortest=2,
            longest=32,
            repeats=1,
        ),
        tmp_path,
        told.append,
    )
    assert [row.frames for row in measured.rows] == [2, 8, 32]
    assert all(row.together_s > 0 for row in measured.rows)
    assert all(
        row.alone_s and row.times == pytest.approx(row.together_s / row.alone_s) for row in measured.rows
    )
    assert len(told) == 1
