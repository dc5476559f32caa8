"""Two hundred clips, two workers, a kill every 20 s: every clip comes out right, and memory stays flat."""

import random
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.chaos.ground import (
    BUSY,
    EXACT,
    JOB,
    KINDS,
    Measure,
    assert_nothing_left,
    assert_same,
    assert_settled,
    broker_of,
    drop,
    kill,
    process_of,
    timeline,
    wait_until_done,
)
from tests.clips import walk, write_clip
from tests.integration.reelmood import Up, eventually, run, up

pytestmark = pytest.mark.long

CLIPS, SHAPES = 200, 5
EVERY_S = 20.0
SEED = 9
GROWTH = 32 * 2**20
"""Bytes that a service's memory, or the broker's data, may grow from the first half to the second."""


def test_two_hundred_clips_with_a_kill_every_twenty_seconds(
    tmp_path: Path, port: int, measure: Measure, record_property: Callable[[str, object], None]
) -> None:
    sources = [
        write_clip(tmp_path / "clips" / f"{shape}.mp4", walk(48, start=(45 + 3 * shape, 60, 56)))
        for shape in range(SHAPES)
    ]
    answer = run("analyze", tmp_path / "clips", "--out", tmp_path / "undisturbed", **EXACT)
    assert answer.returncode == 0, answer.stderr
    expected = {
        source.stem: pd.read_parquet(tmp_path / "undisturbed" / source.stem / "timeline.parquet")
        for source in sources
    }
    chance, kills = random.Random(SEED), 0
    sizes: dict[str, list[int]] = defaultdict(list)
    with up(tmp_path / "home", "--workers", "2", port=port, **BUSY, REELMOOD_KEEP_S="5") as running:
        eventually(lambda: len(running.workers()) == 2, "both workers are ready")
        started = time.monotonic()
        done = [drop(sources[number % SHAPES], running, number) for number in range(CLIPS)]
        while not all(path.exists() for path in done):
            _wait(started + (kills + 1) * EVERY_S, done)
            _weigh(running, sizes)
            kinds = [kind for kind in (JOB, *KINDS) if process_of(running, kind) is not None]
            kill(running, chance.choice(kinds), measure)
            kills += 1
        wait_until_done(running, *done)
        assert_settled(running, kept=False)
        _weigh(running, sizes)
    measure(f"{CLIPS} clips, {kills} kills", time.monotonic() - started)
    assert_nothing_left(running)
    for path in done:
        assert_same(timeline(running, path.stem), expected[path.stem.partition("-")[0]])
    for kind, weighed in sizes.items():
        half = len(weighed) // 2
        first, second = max(weighed[:half]), max(weighed[half:])
        record_property(kind, f"{first / 2**20:.0f} MiB, then {second / 2**20:.0f} MiB")
        assert second - first < GROWTH


def _wait(due: float, done: list[Path]) -> None:
    eventually(lambda: time.monotonic() > due or all(path.exists() for path in done), "time passes")


def _weigh(running: Up, sizes: dict[str, list[int]]) -> None:
    """Note the resident memory of each service, and that of the broker's data."""
    for kind in KINDS:
        process = process_of(running, kind)
        if process is not None:
            try:
                sizes[kind].append(process.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
    sizes["broker"].append(int(broker_of(running).client.info("memory")["used_memory"]))
