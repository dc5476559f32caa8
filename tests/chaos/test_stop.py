"""An end while everything is busy: all are gone in time, and the next start goes on where they were."""

import signal
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.chaos.ground import (
    BUSY,
    Measure,
    assert_nothing_left,
    assert_same,
    assert_settled,
    drop,
    look,
    timeline,
    until_read,
    wait_until_done,
)
from tests.integration.reelmood import eventually, up

WITHIN_S = 10


@pytest.mark.parametrize(
    ("how", "moments"),
    [
        (signal.SIGTERM, (16,)),
        pytest.param(signal.SIGTERM, (8, 80, 160), marks=pytest.mark.long),
        pytest.param(signal.SIGKILL, (8, 80, 160), marks=pytest.mark.long),
    ],
    ids=["SIGTERM", "SIGTERM thrice", "SIGKILL thrice"],
)
def test_what_is_interrupted_goes_on_at_the_next_start(
    how: signal.Signals,
    moments: tuple[int, ...],
    clip: Path,
    undisturbed: pd.DataFrame,
    tmp_path: Path,
    port: int,
    measure: Measure,
) -> None:
    home = tmp_path / "home"
    done = home / "done" / clip.name
    for faces in moments:
        with up(home, "--workers", "2", port=port, **BUSY) as running:
            if faces == moments[0]:
                drop(clip, running)
            until_read(running, faces)
            processes = running.processes()
            started = time.monotonic()
            running.process.send_signal(how)
            _, alive = psutil.wait_procs([running.process, *processes], WITHIN_S)
            measure("all are gone after", time.monotonic() - started)
            assert alive == []
        log = running.log.read_text()
        assert "killing it" not in log
        assert "Traceback" not in log
        assert not done.exists()
    with up(home, "--workers", "2", port=port, **BUSY) as running:
        eventually(lambda: bool(look(running)), "the clip is known")
        wait_until_done(running, done)
        assert_settled(running)
    assert_nothing_left(running)
    assert_same(timeline(running, "two"), undisturbed)
