"""`reelmood up` from end to end: files dropped into a folder, results, a clean stop."""

import json
import shutil
import urllib.request
from pathlib import Path

import pandas as pd

from tests.integration.reelmood import Up, eventually, up


def _drop(running: Up, source: Path, name: str) -> None:
    part = running.home / "incoming" / f".{name}"
    part.parent.mkdir(exist_ok=True)
    shutil.copy(source, part)
    part.rename(part.with_name(name))


def test_dropped_files_are_analysed_or_set_aside(drawn_clip: Path, tmp_path: Path, port: int) -> None:
    home = tmp_path / "a home"
    text = tmp_path / "text.mp4"
    text.write_text("no video at all")
    name = 'it\'s "fine" — 😀 .mp4'
    with up(home, port=port, REELMOOD_STABLE_S="0.1") as running:
        _drop(running, text, "text.mp4")
        _drop(running, drawn_clip, name)
        running.wait_for(home / "failed" / "text.mp4.error.json")
        results = home / "results" / Path(name).stem.strip()
        eventually(lambda: any(home.glob("results/*/summary.json")), "a result")
        eventually(lambda: (home / "done" / name).exists(), "the move to done")
        assert [clip["state"] for clip in running.status()["clips"]].count("done") == 1

        _drop(running, drawn_clip, "the same again.mp4")
        eventually(lambda: (home / "done" / "the same again.mp4").exists(), "the second copy's move")
        assert len(list(home.glob("results/*/summary.json"))) == 1

        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=30) as answer:
            assert answer.status == 200
        processes = running.processes()
    assert running.process.returncode == 0
    assert not any(process.is_running() for process in processes)
    reason = json.loads((home / "failed" / "text.mp4.error.json").read_text())["reason"]
    assert reason == "not a video"
    assert pd.read_parquet(next(home.glob("results/*/timeline.parquet"))).frame.nunique() == 60
    assert results.parent == home / "results"
    assert "Traceback" not in running.log.read_text()


def test_what_was_under_way_goes_on_at_the_next_start(drawn_clip: Path, tmp_path: Path, port: int) -> None:
    home = tmp_path / "home"
    with up(home, port=port, REELMOOD_STABLE_S="0") as running:
        _drop(running, drawn_clip, "drawn.mp4")
        eventually(lambda: bool(running.status()["clips"]), "the clip is known")
    with up(home, port=port, REELMOOD_STABLE_S="0") as running:
        running.wait_for(home / "done" / "drawn.mp4")
    assert pd.read_parquet(home / "results" / "drawn" / "timeline.parquet").frame.nunique() == 60
