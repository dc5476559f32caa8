"""More and more workers; the real ones that run here only wait."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.models import Choice
from benchmarks.scaling import Run, Settings, measure, rows_of, steady_rate
from shared.errors import ClipError


def test_a_steady_rate_leaves_the_ends_out() -> None:
    middle = 10 + np.arange(80) / 20
    slow_start, slow_end = np.linspace(0, 9, 10), np.linspace(20, 90, 10)
    assert steady_rate([*slow_start, *middle, *slow_end]) == pytest.approx(20)
    # Results come a batch of eight at a time, one batch each 0.4 s.
    assert steady_rate([0.4 * (number // 8) for number in range(800)]) == pytest.approx(20, rel=1e-3)


def _runs(*rates: float) -> list[Run]:
    return [Run(faces_per_s=rate, broker_us=rate / 2, worker_us=rate / 4) for rate in rates]


def test_speedup_is_over_the_fewest_workers() -> None:
    rows = rows_of("model", {1: _runs(90, 100, 130), 2: _runs(180, 190, 150), 4: _runs(320)})
    assert [row.speedup for row in rows] == pytest.approx([1, 1.8, 3.2])
    assert [row.efficiency for row in rows] == pytest.approx([1, 0.9, 0.8])
    assert [row.faces_per_s for row in rows] == [100, 180, 320]
    assert [(row.broker_us, row.worker_us) for row in rows] == [(50, 25), (90, 45), (160, 80)]
    assert list(rows[0].faces_per_s_by_run) == [90, 100, 130]
    assert rows_of("model", {}) == []
    # Where two are the fewest, each of them counts as half.
    assert rows_of("model", {2: _runs(100)})[0].speedup == 2


def test_waiting_workers_share_the_faces(two_faces: Path, tmp_path: Path) -> None:
    settings = Settings(
        clip=str(two_faces),
        model=Choice(name="nano"),
        workers=(),
        waiting=(2,),
        shards=(1, 3),
        wait_ms=1,
        # Processor time is counted in ticks of 10 ms.
        faces=2000,
        repeats=1,
    )
    measured = measure(settings, tmp_path, lambda _: None)
    assert [(row.kind, row.shards, row.workers, row.efficiency) for row in measured.rows] == [
        ("waiting", 1, 2, 1),
        ("waiting", 3, 2, 1),
    ]
    assert all(row.faces_per_s > 0 for row in measured.rows)
    assert all(row.broker_us > 0 and row.worker_us > 0 for row in measured.rows)
    assert measured.model == "waiting on none"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="there is no file"):
        measure(Settings(clip=str(tmp_path / "gone.mp4")), tmp_path, lambda _: None)
