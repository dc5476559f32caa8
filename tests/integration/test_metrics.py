"""What real processes tell over HTTP, and what they log as JSON, while a clip goes through."""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from shared.queues.broker import Broker
from shared.settings import Settings, environment_of
from tests.integration.reelmood import COMMAND, eventually, run
from tests.shared.metrics.scraped import get, samples

SERVICES = {
    "watcher": ("ingest", "--part", "watcher"),
    "ingest": ("ingest", "--part", "runner"),
    "worker": ("worker",),
    "retrieval": ("retrieval",),
    "recorder": ("recorder",),
}


@contextmanager
def _running(settings: Settings, log: Path) -> Iterator[dict[str, int]]:
    """Run each service as a process of its own; yields their metrics ports."""
    with ExitStack() as stack:
        file = stack.enter_context(log.open("w"))
        ports = _free_ports()
        for name, arguments in SERVICES.items():
            told = settings.model_copy(update={"metrics_port": ports[name], "log_format": "json"})
            process = psutil.Popen([*COMMAND, *arguments], env=environment_of(told), stdout=file, stderr=file)
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
        yield ports


def _free_ports() -> dict[str, int]:
    with ExitStack() as stack:
        probes = {name: stack.enter_context(socket.socket()) for name in SERVICES}
        for probe in probes.values():
            probe.bind(("127.0.0.1", 0))
        return {name: int(probe.getsockname()[1]) for name, probe in probes.items()}


def test_every_service_tells_how_it_does(
    drawn_clip: Path, settings: Settings, broker: Broker, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    settings.incoming.mkdir(parents=True)
    shutil.copy(drawn_clip, settings.incoming)
    with _running(settings, log) as ports:
        done = settings.done / drawn_clip.name
        eventually(lambda: bool(done.exists()), "the clip is analysed")
        ended = 'reelmood_clips_ended_total{state="done"}'
        eventually(lambda: samples(get(ports["watcher"], "/metrics")[1])[ended] == 1, "it is counted")
        codes = {name: get(port, "/healthz")[0] for name, port in ports.items()}
        read = {name: samples(get(port, "/metrics")[1]) for name, port in ports.items()}
        status = json.loads(run("status", "--json", **environment_of(settings)).stdout)
    assert codes == dict.fromkeys(SERVICES, 200)
    for name, told in read.items():
        assert any(
            f'kind="{name}"' in sample for sample in told if sample.startswith("reelmood_service_info")
        )
    (clip,) = status["clips"]
    whole, worker = read["watcher"], read["worker"]
    assert (clip["frames"], clip["done"]) == (60, clip["faces"])
    assert whole["reelmood_frames_decoded_total"] == 60
    assert whole["reelmood_faces_found_total"] == whole["reelmood_faces_read_total"] == clip["faces"] > 0
    assert whole["reelmood_queries_answered_total"] == clip["explained"] > 0
    assert whole['reelmood_frames_dropped_total{reason="frame_lost"}'] == 0
    assert whole['reelmood_job_seconds_total{stage="ingest",step="detect"}'] > 0
    assert whole['reelmood_job_seconds_total{stage="recorder",step="tables"}'] > 0
    assert whole['reelmood_services_alive{kind="worker"}'] == 1
    assert worker["reelmood_committed_total"] == worker["reelmood_batch_size_sum"] == clip["faces"]
    assert worker['reelmood_step_seconds_count{step="align"}'] > 0
    assert read["retrieval"]["reelmood_committed_total"] == clip["explained"]
    assert status["oldest_s"] == dict.fromkeys(status["oldest_s"], 0)

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    decoded = next(line for line in lines if line["message"].endswith("60 frames decoded"))
    assert (decoded["clip"], decoded["level"]) == (clip["id"], "info")
    assert any(line.get("clip") == clip["id"] and "is done" in line["message"] for line in lines)
