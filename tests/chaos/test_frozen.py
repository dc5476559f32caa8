"""A worker that is frozen past the reclaim time: others do its work, and when it wakes up it adds nothing."""

import signal
from pathlib import Path

import pandas as pd
import psutil

from shared.queues import work
from tests.chaos.ground import (
    BUSY,
    assert_nothing_left,
    assert_same,
    assert_settled,
    broker_of,
    drop,
    process_of,
    timeline,
    until_read,
    wait_until_done,
)
from tests.integration.reelmood import Up, eventually, up


def test_what_a_woken_worker_commits_late_is_not_written(
    clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int
) -> None:
    with up(tmp_path / "home", "--workers", "2", port=port, **BUSY) as running:
        eventually(lambda: len(running.workers()) == 2, "both workers are ready")
        done = drop(clip, running)
        until_read(running, 16)
        frozen = process_of(running, "worker")
        assert frozen is not None
        eventually(lambda: _froze_with_faces(running, frozen), "it is frozen with faces in hand")
        wait_until_done(running, done)
        assert_settled(running)
        frozen.send_signal(signal.SIGCONT)
        running.wait_for_line("faces were no longer this worker's")
        assert_settled(running)
    assert_nothing_left(running)
    assert_same(timeline(running, "two"), undisturbed)


def _froze_with_faces(running: Up, worker: psutil.Process) -> bool:
    worker.send_signal(signal.SIGSTOP)
    broker = broker_of(running)
    lanes = broker.keys.lanes
    held = [one for lane in lanes for one in broker.client.xpending_range(lane, work.GROUP, "-", "+", 100)]
    if any(one["consumer"].decode().endswith("-1") for one in held):
        return True
    worker.send_signal(signal.SIGCONT)
    assert any(broker.client.xlen(lane) for lane in lanes)
    return False
