"""`kill -9` of whatever is at work changes nothing in the timelines."""

import random
from pathlib import Path

import pandas as pd
import pytest

from tests.chaos.ground import (
    BUSY,
    JOB,
    KINDS,
    Measure,
    assert_nothing_left,
    assert_same,
    assert_settled,
    drop,
    kill,
    look,
    pause,
    process_of,
    timeline,
    until_read,
    wait_until_done,
)
from tests.integration.reelmood import Up, eventually, up

SEED = 5


def test_killed_processes_change_nothing(
    clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int, measure: Measure
) -> None:
    with up(tmp_path / "home", "--workers", "2", port=port, **BUSY) as running:
        eventually(lambda: len(running.workers()) == 2, "both workers are ready")
        done = [drop(clip, running, number) for number in range(2)]
        for number, kind in enumerate((JOB, "worker", "runner", "retrieval", "recorder", "watcher")):
            until_read(running, 12 * number)
            _kill_one(running, kind, measure)
        wait_until_done(running, *done)
        assert_settled(running)
    assert "SIGKILL" in running.log.read_text()
    assert_nothing_left(running)
    for path in done:
        assert_same(timeline(running, path.stem), undisturbed)


@pytest.mark.long
def test_twenty_kills_at_random_moments_change_nothing(
    clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int, measure: Measure
) -> None:
    chance, kills = random.Random(SEED), [JOB, *KINDS] * 3
    chance.shuffle(kills)
    done = []
    with up(tmp_path / "home", "--workers", "2", port=port, **BUSY) as running:
        eventually(lambda: len(running.workers()) == 2, "both workers are ready")
        for number, kind in enumerate(kills[:20]):
            done.append(drop(clip, running, number))
            pause(chance.uniform(0.2, 4))
            _kill_one(running, kind, measure)
        wait_until_done(running, *done)
        assert_settled(running)
    assert_nothing_left(running)
    for path in done:
        assert_same(timeline(running, path.stem), undisturbed)


def _all_ingested(running: Up) -> bool:
    states = look(running)
    return bool(states) and all(clip.ingested for clip in states)


def _kill_one(running: Up, kind: str, measure: Measure) -> None:
    """Kill a process of a kind; of a clip's while one is at work, else of its runner."""
    if kind == JOB:
        eventually(
            lambda: process_of(running, JOB) is not None or _all_ingested(running), "a clip is decoded"
        )
    kill(running, kind, measure)
