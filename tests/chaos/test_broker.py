"""The broker killed in mid-work: with its file it goes on, without it the clips start again."""

import shutil
import time
from pathlib import Path

import pandas as pd
import pytest

from shared.errors import BrokerError
from shared.queues.broker import LOST
from shared.queues.clips import Clip
from tests.chaos.ground import (
    BUSY,
    Measure,
    assert_nothing_left,
    assert_same,
    assert_settled,
    broker_process,
    drop,
    faces_read,
    look,
    timeline,
    until,
    until_read,
    wait_until_done,
)
from tests.integration.reelmood import Up, eventually, up


def _ingesting(clip: Clip) -> bool:
    return 0 < clip.frames < 90 and not clip.ingested


def _reading(clip: Clip) -> bool:
    return clip.ingested and 0 < clip.done < clip.faces - 40


def test_a_broker_that_is_killed_goes_on_with_its_file(
    clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int, measure: Measure
) -> None:
    with up(tmp_path / "home", port=port, **BUSY) as running:
        eventually(lambda: len(running.workers()) == 1, "the worker is ready")
        done = drop(clip, running)
        until(running, _ingesting, "the clip is decoded")
        _kill_broker(running, measure)
        until(running, _reading, "the rest of its faces is read")
        read = faces_read(running)
        _kill_broker(running, measure)
        assert look(running)[0].done >= read
        wait_until_done(running, done)
        assert_settled(running)
    log = running.log.read_text()
    assert log.count("the embedded broker ended with signal SIGKILL") == 2
    assert "queued again" not in log
    assert_nothing_left(running)
    assert_same(timeline(running, "two"), undisturbed)


def test_clips_start_again_by_themselves_when_the_broker_comes_back_empty(
    clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int, measure: Measure
) -> None:
    with up(tmp_path / "home", port=port, **BUSY) as running:
        eventually(lambda: len(running.workers()) == 1, "the worker is ready")
        done = [drop(clip, running), drop(clip, running, 1)]
        until(running, lambda clip: clip.done > 8, "the first faces are read")
        shutil.rmtree(running.home / "broker" / "appendonlydir")
        _kill_broker(running, measure)
        eventually(lambda: len(look(running)) == 2, "the broker knows the clips again")
        wait_until_done(running, *done)
        assert_settled(running)
        kinds = [service["kind"] for service in running.status()["services"]]
        assert sorted(kinds) == ["ingest", "recorder", "retrieval", "worker"]
    assert_nothing_left(running)
    for path in done:
        assert_same(timeline(running, path.stem), undisturbed)


@pytest.mark.long
def test_a_broker_that_is_killed_again_and_again(
    clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int, measure: Measure
) -> None:
    with up(tmp_path / "home", "--workers", "2", port=port, **BUSY) as running:
        eventually(lambda: len(running.workers()) == 2, "both workers are ready")
        done = [drop(clip, running, number) for number in range(4)]
        for number in range(6):
            until_read(running, 140 * number + 1)
            _kill_broker(running, measure)
        wait_until_done(running, *done)
        assert_settled(running)
    assert_nothing_left(running)
    for path in done:
        assert_same(timeline(running, path.stem), undisturbed)


def _kill_broker(running: Up, measure: Measure) -> None:
    victim, started = broker_process(running), time.monotonic()
    victim.kill()
    eventually(lambda: _answers(running), "the broker answers again")
    measure("it answers again after", time.monotonic() - started)


def _answers(running: Up) -> bool:
    try:
        return broker_process(running).is_running()
    except (BrokerError, *LOST):
        return False
