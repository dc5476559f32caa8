"""A broker whose memory is full: the producer waits and says so, nothing is dropped, all goes on after."""

import time
from pathlib import Path
from typing import Any

import pandas as pd

from tests.chaos.ground import (
    BUSY,
    Measure,
    assert_nothing_left,
    assert_same,
    assert_settled,
    broker_of,
    drop,
    look,
    pause,
    timeline,
    wait_until_done,
)
from tests.integration.reelmood import Up, eventually, up

ROOM = 250_000
REFUSAL = "command not allowed when used memory > 'maxmemory'"


def test_a_full_broker_makes_the_producer_wait(
    clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int, measure: Measure
) -> None:
    with up(tmp_path / "home", port=port, **BUSY) as running:
        eventually(lambda: len(running.workers()) == 1, "the worker is ready")
        client: Any = broker_of(running).client
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + ROOM)
        done = drop(clip, running)
        running.wait_for_line(REFUSAL)
        eventually(lambda: _stands_still(running), "what was queued is read, and no more comes")
        waiting = look(running)[0]
        assert (waiting.state, waiting.ingested) == ("running", False)
        client.config_set("maxmemory", 0)
        room = time.monotonic()
        wait_until_done(running, done)
        measure("the clip is done after", time.monotonic() - room)
        assert_settled(running)
    lines = running.log.read_text().splitlines()
    assert len([line for line in lines if REFUSAL in line]) <= 2
    assert_nothing_left(running)
    assert_same(timeline(running, "two"), undisturbed)


def _stands_still(running: Up) -> bool:
    before = look(running)
    pause(1.5)
    return before == look(running) and before[0].done == before[0].faces
