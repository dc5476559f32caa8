"""A disk that is full or may only be read: everything waits, says so, and goes on when there is room."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from tests.chaos.ground import (
    BUSY,
    Measure,
    assert_same,
    assert_settled,
    drop,
    look,
    pause,
    timeline,
    until,
    wait_until_done,
)
from tests.integration.reelmood import eventually, up

TROUBLE = {"a full disk": "size=40k", "a read-only folder": "ro"}


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a small file system in memory; skips where this is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this process may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    """Change a mounted file system's options."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


@pytest.mark.parametrize(
    "trouble", ["a full disk", pytest.param("a read-only folder", marks=pytest.mark.long)]
)
def test_a_clip_waits_for_a_results_folder_that_takes_its_files(
    trouble: str, clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int, measure: Measure
) -> None:
    home = tmp_path / "home"
    with mounted(home / "results", TROUBLE[trouble]), up(home, port=port, **BUSY) as running:
        done = drop(clip, running)
        until(running, lambda clip: clip.holds >= 2, "its files could not be written twice")
        [waiting] = look(running)
        assert (waiting.state, waiting.done) == ("finishing", len(undisturbed))
        assert waiting.held in running.log.read_text()
        assert not done.exists()
        assert not any((home / "results").iterdir())
        remount(home / "results", "rw,size=64m")
        room = time.monotonic()
        wait_until_done(running, done)
        measure("its files are there after", time.monotonic() - room)
        assert_settled(running)
        assert look(running)[0].held == ""
        assert_same(timeline(running, "two"), undisturbed)
    assert "Traceback" not in running.log.read_text()


def test_with_the_brokers_disk_full_everything_waits_and_nothing_is_lost(
    clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int, measure: Measure
) -> None:
    home = tmp_path / "home"
    with mounted(home / "broker", "size=600k"), up(home, port=port, **BUSY) as running:
        eventually(lambda: len(running.workers()) == 1, "the worker is ready")
        done = drop(clip, running)
        running.wait_for_line("No space left on device")
        pause(2)
        assert not done.exists()
        remount(home / "broker", "size=64m")
        room = time.monotonic()
        wait_until_done(running, done)
        measure("the clip is done after", time.monotonic() - room)
        assert_settled(running)
        assert_same(timeline(running, "two"), undisturbed)
        assert "Traceback" not in running.log.read_text()
