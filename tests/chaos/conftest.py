"""A clip, and what comes of it when nothing happens."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.chaos.ground import EXACT, Measure
from tests.clips import draw, write_clip
from tests.integration.reelmood import run


@pytest.fixture
def measure(record_property: Callable[[str, object], None]) -> Measure:
    """Note how long something took, for the summary of the run."""

    def note(what: str, seconds: float) -> None:
        record_property(what, f"{seconds:.1f} s")

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, test by test."""
    for report in terminalreporter.getreports("passed"):
        for what, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid.partition('::')[2]}: {what}: {value}")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 120 frames with two drawn faces that move."""
    frames = [
        draw((80 + number / 8, 90, 90), (230, 90 - number / 16, 84), width=320, height=180)
        for number in range(120)
    ]
    return write_clip(tmp_path_factory.mktemp("clips") / "two.mp4", frames)


@pytest.fixture(scope="session")
def undisturbed(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The timeline of a run in which nothing happens."""
    out = tmp_path_factory.mktemp("undisturbed")
    answer = run("analyze", clip, "--out", out, **EXACT)
    assert answer.returncode == 0, answer.stderr
    table = pd.read_parquet(out / "two" / "timeline.parquet")
    assert len(table) == 240
    return table
