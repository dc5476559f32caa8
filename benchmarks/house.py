"""The product's own processes, run for a benchmark in a temporary home with an embedded broker."""

import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from prometheus_client.parser import text_string_to_metric_families

from shared.errors import MessageError, ReelmoodError
from shared.process import die_with_parent
from shared.queues import clips, jobs, presence, turns
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.queues.embedded import embedded_broker, free_port
from shared.queues.tasks import Task
from shared.settings import Settings, environment_of

_COMMAND: Final = (sys.executable, "-m", "services.cli")
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_START_S: Final = 300.0
_STOP_S: Final = 20.0
_LOOK_S: Final = 0.05

Steps = dict[str, float]
"""Seconds by step."""


@dataclass(frozen=True)
class Member:
    """A process of the house: which stage it belongs to, and where it tells its metrics."""

    stage: str
    process: psutil.Popen
    port: int

    def cpu_s(self) -> float:
        """Return the processor time of the process and all that it started, the ended ones included."""
        return _sum_below(self.process, lambda one: float(sum(one.cpu_times()[:4])))

    def memory(self) -> int:
        """Return the resident bytes of the process and all that it started; shared pages count in each."""
        return int(_sum_below(self.process, lambda one: float(one.memory_info().rss)))

    def steps(self) -> Steps:
        """Return the seconds that each step of its loop has taken so far."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        return {
            sample.labels["step"]: sample.value
            for family in families
            for sample in family.samples
            if sample.name == "reelmood_step_seconds_sum"
        }


@dataclass(frozen=True)
class House:
    """Running services: where they live, their broker, and their processes."""

    settings: Settings
    broker: Broker
    members: Sequence[Member]

    def of(self, stage: str) -> list[Member]:
        """Return the processes of a stage."""
        return [member for member in self.members if member.stage == stage]

    def model(self) -> str:
        """Return the id of the model that the workers read with, and their device; "" when none says so."""
        workers = (one for one in presence.alive(self.broker) if one.kind == "worker")
        return next((f"{one.model} on {one.device}" for one in workers), "")

    def broker_cpu_s(self) -> float:
        """Return the processor time that the broker has used so far."""
        used = self.broker.client.info("cpu")
        return float(used["used_cpu_sys"]) + float(used["used_cpu_user"])

    def broker_memory(self) -> int:
        """Return the resident bytes of the broker."""
        return int(self.broker.client.info("memory")["used_memory_rss"])

    def order(self, path: Path) -> str:
        """Queue a clip under an id of its own, so that the same file can be analysed again; return the id."""
        clip = Clip(
            id=uuid.uuid4().hex,
            name=path.name,
            path=str(path.resolve()),
            results=str(self.settings.results.resolve()),
            model=self.settings.model,
            keep_source=True,
        )
        clips.create(self.broker, clip)
        turns.expect(self.broker, clip.id, time.time() + turns.length_s(0, path))
        jobs.enqueue(self.broker, Task.INGEST, clip.id)
        return clip.id

    def wait_for(self, clip_id: str, look: Callable[[Clip], object] = lambda _: None) -> Clip:
        """Return a clip when it is done; `look` sees it several times a second until then.

        Raises ReelmoodError when it fails or a process of the house has ended.
        """
        while True:
            self.check()
            clip = clips.get(self.broker, clip_id)
            if clip is None:
                raise MessageError(f"the broker has lost clip {clip_id}")
            look(clip)
            if clip.state is State.FAILED:
                raise ReelmoodError(f"{clip.name} cannot be analysed: {clip.error}")
            if clip.state is State.DONE:
                return clip
            time.sleep(_LOOK_S)

    def check(self) -> None:
        """Raise ReelmoodError when a process of the house has ended."""
        for member in self.members:
            if member.process.poll() is not None:
                raise ReelmoodError(f"{member.stage} has ended during the benchmark, its lines above say why")


@contextmanager
def house(programs: Mapping[str, Sequence[Sequence[str]]], base: Settings) -> Iterator[House]:
    """Run `reelmood` commands, any number for each stage, in the home of `base`, and stop them at the end.

    Yields when every worker and retrieval has said that it is there. Raises ReelmoodError when one cannot
    start.
    """
    with ExitStack() as stack:
        url = stack.enter_context(embedded_broker(base.home))
        settings = base.model_copy(update={"redis_url": url, "log_level": "warning"})
        told = {**environment_of(settings), **_ONE_THREAD}
        members = []
        for stage, commands in programs.items():
            for command in commands:
                port = free_port()
                process = _start(command, {**told, "REELMOOD_METRICS_PORT": str(port)})
                stack.callback(_stop, process)
                members.append(Member(stage, process, port))
        running = House(settings, connect(settings), members)
        _wait_until_ready(running)
        yield running


def worker_commands(count: int, wait_ms: float | None = None) -> list[list[str]]:
    """Return the commands of so many workers; with `wait_ms`, of such as only wait so long for a face."""
    command = ["worker"] if wait_ms is None else ["bench", "waiting-worker", "--wait-ms", str(wait_ms)]
    return [[*command, "--slot", str(slot)] for slot in range(1, count + 1)]


@contextmanager
def whole_house(base: Settings, workers: Sequence[Sequence[str]]) -> Iterator[House]:
    """Run everything that a clip passes through, with these workers; see `house`."""
    programs = {
        "watcher": [["ingest", "--part", "watcher"]],
        "ingest": [["ingest", "--part", "runner"]],
        "worker": workers,
        "retrieval": [["retrieval"]],
        "recorder": [["recorder"]],
    }
    with house(programs, base) as running:
        yield running


def _start(command: Sequence[str], environment: Mapping[str, str]) -> psutil.Popen:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REELMOOD_")}
    return psutil.Popen(
        [*_COMMAND, *command],
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
        process_group=0,
    )


def _stop(process: psutil.Popen) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_STOP_S)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(running: House) -> None:
    """Wait for the heartbeats of workers and retrieval; the runners wait for jobs by themselves."""
    deadline = time.monotonic() + _START_S
    wanted = len(running.of("worker")) + len(running.of("retrieval"))
    while sum(one.kind in ("worker", "retrieval") for one in presence.alive(running.broker)) < wanted:
        running.check()
        if time.monotonic() > deadline:
            raise ReelmoodError(f"the services are not ready after {_START_S:.0f} s")
        time.sleep(_LOOK_S)


def _sum_below(process: psutil.Process, measure: Callable[[psutil.Process], float]) -> float:
    """Return the sum over a process and all below it; those that end meanwhile are left out."""
    total = 0.0
    for one in (*process.children(recursive=True), process):
        with suppress(psutil.NoSuchProcess):
            total += measure(one)
    return total
