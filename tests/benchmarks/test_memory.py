"""Memory over a long clip."""

from pathlib import Path

import psutil
import pytest

from benchmarks.house import House
from benchmarks.memory import Sample, follow, row_of

MB = 1 << 20


def test_every_service_is_sampled_while_a_clip_goes_through(opened: tuple[House, dict[str, Path]]) -> None:
    running, paths = opened
    clip, sampled = follow(running, paths["two faces.mp4"], 0, lambda _: None)
    assert clip.frames == 12
    assert sampled.keys() == {"broker", "watcher", "ingest", "worker", "retrieval", "recorder"}
    assert len({len(samples) for samples in sampled.values()}) == 1
    (worker,) = running.of("worker")
    now = psutil.Process(worker.process.pid).memory_info().rss
    assert sampled["worker"][-1].resident == pytest.approx(now, rel=0.5)


def test_growth_and_drift_are_of_the_samples_alone() -> None:
    sizes = [100, *[104] * 8, 102, 120, *[106] * 8, 108]
    row = row_of("worker", [Sample(frame=number, resident=size * MB) for number, size in enumerate(sizes)])
    assert (row.lowest_mb, row.highest_mb) == (100, 120)
    assert row.growth == pytest.approx(0.2)
    # The first two of twenty are 100 and 104, the last two 106 and 108.
    assert (row.first_mb, row.last_mb) == (102, 107)
    assert row.drift == pytest.approx(107 / 102 - 1)
