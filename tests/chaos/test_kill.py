"""`kill -9` of what does the work changes nothing in the timeline but rounding."""

import os
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest

from shared.emotions import EMOTIONS
from shared.queues import clips
from shared.queues.broker import connect
from shared.settings import Settings
from tests.clips import draw, write_clip
from tests.integration.reelmood import Up, eventually, run, up

ROUNDING = 1e-4
"""Batches fall differently; landmarks then differ in their last bits, and pixels by one level."""
PROBABILITIES = [f"p_{emotion}" for emotion in EMOTIONS]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 240 frames with two drawn faces that move."""
    frames = [
        draw((80 + number / 8, 90, 90), (230, 90 - number / 16, 84), width=320, height=180)
        for number in range(240)
    ]
    return write_clip(tmp_path_factory.mktemp("clips") / "two.mp4", frames)


@pytest.fixture(scope="module")
def undisturbed(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The timeline of a run in which nothing happens."""
    out = tmp_path_factory.mktemp("undisturbed")
    answer = run("analyze", clip, "--out", out)
    assert answer.returncode == 0, answer.stderr
    return pd.read_parquet(out / "two" / "timeline.parquet")


@pytest.mark.parametrize("victim", ["worker", "ingest"])
def test_a_killed_process_changes_nothing(
    victim: str, clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int
) -> None:
    home = tmp_path / "home"
    environment = {"REELMOOD_STABLE_S": "0", "REELMOOD_BATCH_SIZE": "8", "REELMOOD_RECLAIM_S": "2"}
    with up(home, "--workers", "2", port=port, **environment) as running:
        eventually(lambda: len(running.workers()) == 2, "both workers are ready")
        shutil.copy(clip, home / "incoming")
        eventually(lambda: _faces_read(home) >= 16, "the first faces are read")
        os.kill(_pid_of(running, victim), signal.SIGKILL)
        running.wait_for(home / "done" / "two.mp4")
        assert _faces_read(home) == len(undisturbed)
        assert {name: count for name, count in running.status()["queues"].items() if count} == {}
    assert "SIGKILL" in running.log.read_text()
    _assert_same(pd.read_parquet(home / "results" / "two" / "timeline.parquet"), undisturbed)


def _faces_read(home: Path) -> int:
    broker = connect(Settings(home=home))
    return sum(clip.done for clip in clips.recent(broker))


def _pid_of(running: Up, victim: str) -> int:
    if victim == "worker":
        return running.workers()[0]
    return next(
        process.pid
        for process in running.process.children()
        if process.cmdline()[-2:] == ["--part", "runner"]
    )


def _assert_same(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    exact = [name for name in expected.columns if name not in (*PROBABILITIES, "confidence")]
    pd.testing.assert_frame_equal(actual[exact], expected[exact])
    assert (actual[PROBABILITIES] - expected[PROBABILITIES]).abs().max().max() < ROUNDING
