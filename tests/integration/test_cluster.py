"""Everything at once on a cluster of three servers, with clips in several shards."""

import json
import shutil
from pathlib import Path

import pandas as pd

from shared.queues.embedded import embedded_broker
from tests.clips import draw, write_clip
from tests.cluster import cluster
from tests.integration.reelmood import eventually, up

CLIPS = 4


def test_clips_go_through_on_a_cluster(tmp_path: Path, port: int) -> None:
    home = tmp_path / "home"
    for number in range(CLIPS):
        walk = [draw((80 + 3 * step, 90, 90), width=320, height=180) for step in range(10 + number)]
        write_clip(tmp_path / f"{number}.mp4", walk)
    with cluster(tmp_path / "cluster") as url, embedded_broker(tmp_path / "jobs") as jobs:
        environment = {"REELMOOD_REDIS_URL": url, "REELMOOD_JOBS_URL": jobs, "REELMOOD_SHARDS": "4"}
        with up(home, port=port, REELMOOD_STABLE_S="0.1", **environment) as running:
            for number in range(CLIPS):
                shutil.move(tmp_path / f"{number}.mp4", home / "incoming" / f"{number}.mp4")
            eventually(lambda: len(list(home.glob("done/*.mp4"))) == CLIPS, "the last clip's end")
            status = running.status()
    assert {clip["state"] for clip in status["clips"]} == {"done"}
    assert status["queues"] == dict.fromkeys(("clips", "finish", "training", "faces", "queries", "dead"), 0)
    assert {one["kind"] for one in status["services"]} >= {"worker", "retrieval", "ingest", "recorder"}
    for number in range(CLIPS):
        results = home / "results" / str(number)
        rows = pd.read_parquet(results / "timeline.parquet")
        summary = json.loads((results / "summary.json").read_text())
        assert rows.frame.nunique() == summary["frames"] == 10 + number
        assert rows.emotion.notna().sum() == summary["faces"] > 0
    assert "Traceback" not in running.log.read_text()
