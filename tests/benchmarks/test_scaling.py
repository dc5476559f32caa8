"""More and more workers; the real ones that run here only wait."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.models import Choice
from benchmarks.scaling import Settings, measure, rows_of, steady_rate
from shared.errors import ClipError


def test_a_steady_rate_leaves_the_ends_out() -> None:
    middle = 10 + np.arange(80) / 20
    slow_start, slow_end = np.linspace(0, 9, 10), np.linspace(20, 90, 10)
    assert steady_rate([*slow_start, *middle, *slow_end]) == pytest.approx(20)
    # Results come a batch of eight at a time, one batch each 0.4 s.
    assert steady_rate([0.4 * (number // 8) for number in range(800)]) == pytest.approx(20, rel=1e-3)


def test_speedup_is_over_the_fewest_workers() -> None:
    rows = rows_of("model", {1: [90.0, 100.0, 130.0], 2: [180.0, 190.0, 150.0], 4: [320.0]})
    assert [row.speedup for row in rows] == pytest.approx([1, 1.8, 3.2])
    assert [row.efficiency for row in rows] == pytest.approx([1, 0.9, 0.8])
    assert [row.faces_per_s for row in rows] == [100, 180, 320]
    assert rows_of("model", {}) == []
    # Where two are the fewest, each of them counts as half.
    assert rows_of("model", {2: [100.0]})[0].speedup == 2


def test_waiting_workers_share_the_faces(two_faces: Path, tmp_path: Path) -> None:
    settings = Settings(
        clip=str(two_faces),
        model=Choice(name="nano"),
        workers=(),
        waiting=(2,),
        wait_ms=1,
        faces=40,
        repeats=1,
    )
    measured = measure(settings, tmp_path, lambda _: None)
    (row,) = measured.rows
    assert (row.kind, row.workers, row.efficiency) == ("waiting", 2, 1)
    # Two workers that take a millisecond for each face cannot read more than 2,000 a second; the slope over
    # so few batches is not exact.
    assert 0 < row.faces_per_s < 4000
    assert measured.model == "waiting on none"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="there is no file"):
        measure(Settings(clip=str(tmp_path / "gone.mp4")), tmp_path, lambda _: None)
