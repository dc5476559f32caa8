"""`reelmood camera` from end to end: a stream on loopback, a running house, Ctrl-C's signal."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pandas as pd

from shared.video import open_clip
from tests.clips import walk
from tests.integration.reelmood import COMMAND, Up, eventually, run, up
from tests.services.ingest.live.stream import Camera, jpegs, serving


def _clip(running: Up) -> dict[str, object]:
    found: list[dict[str, object]] = running.status()["clips"]
    return found[0] if found else {}


def test_a_camera_is_analysed_recorded_and_ended_by_a_signal(tmp_path: Path, port: int) -> None:
    home = tmp_path / "home"
    with serving(Camera(jpegs(walk(30)), rate=10)) as camera, up(home, port=port) as running:
        source = camera.address.replace("://", "://user:s3cret@")
        environment = os.environ | running.environment | {"REELMOOD_CAMERA": source}
        process = subprocess.Popen(
            [*COMMAND, "camera", "--record", "--name", "front door"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            eventually(lambda: int(str(_clip(running).get("done", 0))) > 10, "faces that were read")
            clip = _clip(running)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 0, said
        results = home / "results" / "front door"
        running.wait_for(results / "summary.json")
        eventually(lambda: _clip(running)["state"] == "done", "the end of the clip")
        log = running.log.read_text()
    assert (clip["live"], clip["name"]) == (True, "front door.mp4")
    assert "s3cret" not in said + log + json.dumps(clip)
    summary = json.loads((results / "summary.json").read_text())
    assert summary["frames"] == pd.read_parquet(results / "timeline.parquet")["frame"].nunique()
    assert summary["dropped"]["frame_lost"] == 0
    with open_clip(home / "done" / "front door.mp4") as footage:
        assert sum(1 for _ in footage.frames) >= summary["frames"]


def test_a_source_that_is_none_and_a_house_that_does_not_run_are_one_line(tmp_path: Path, port: int) -> None:
    answer = run("camera", "clip.mp4", REELMOOD_HOME=str(tmp_path))
    assert answer.returncode == 2
    assert answer.stderr.startswith("reelmood: a live source is a camera's number")
    answer = run("camera", f"http://user:s3cret@127.0.0.1:{port}/", REELMOOD_HOME=str(tmp_path))
    assert answer.returncode == 2
    assert answer.stderr.startswith("reelmood: no broker is running")
    assert "s3cret" not in answer.stderr
