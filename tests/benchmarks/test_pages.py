"""The dashboard's pages in a real browser."""

import os
import shutil

import pytest

from benchmarks.pages import Settings, measure

TINY = Settings(clips=2, faces=60, repeats=1, watch_s=1)


def test_each_page_is_opened_and_watched() -> None:
    if shutil.which("chromium") is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("Chromium is not installed (Debian: apt install chromium)")
    measured = measure(TINY, {"clip": ("?clip=clip-1", ".lane")}, lambda _: None)
    [row] = measured.rows
    assert row.page == "clip"
    assert 0 < row.shown_p50_ms <= row.shown_p95_ms
    assert row.update_cpu_ms > 0
