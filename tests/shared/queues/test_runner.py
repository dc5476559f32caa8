"""A runner that was killed: its successor of the same name does what it had in hand."""

import os
import signal
import subprocess
import sys
import threading
from typing import cast

import pytest
from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer

from shared.queues import jobs
from shared.queues.broker import Broker
from shared.queues.runner import _Runner
from shared.queues.tasks import PlainJob, Task, connection_of, queue_of
from shared.settings import Settings, environment_of
from tests.shared.queues.test_jobs import RUNNER


def _take(broker: Broker, name: str, *, begun: bool) -> None:
    """Take a job as a runner does that is killed before or after its process is forked."""
    worker = Worker(
        [queue_of(broker, Task.INGEST)],
        name=name,
        connection=cast("Redis", broker.client),
        job_class=PlainJob,
        serializer=JSONSerializer,
    )
    worker.register_birth()  # type: ignore[no-untyped-call]
    taken = worker.dequeue_job_and_maintain_ttl(1)
    assert taken is not None
    worker.prepare_execution(taken[0])
    if begun:
        worker.prepare_job_execution(taken[0], remove_from_intermediate_queue=True)


@pytest.mark.parametrize("begun", [False, True])
def test_a_job_that_a_killed_runner_had_in_hand_is_done_by_its_successor(
    begun: bool, broker: Broker, settings: Settings
) -> None:
    jobs.enqueue(broker, Task.INGEST, "forgotten")
    _take(broker, "runner", begun=begun)
    assert jobs.lengths(broker)["clips"] == 0
    environment = {**os.environ, **environment_of(settings)}
    successor = subprocess.Popen([sys.executable, "-c", RUNNER], env=environment)
    try:
        pause = threading.Event()
        while broker.client.exists("rq:job:test-clips-forgotten"):
            assert successor.poll() is None
            pause.wait(0.05)
    finally:
        successor.terminate()
        successor.wait()
    assert jobs.take_failed(broker) == []


def test_a_job_in_anothers_hands_stays_there(broker: Broker, settings: Settings) -> None:
    jobs.enqueue(broker, Task.INGEST, "forgotten")
    _take(broker, "another", begun=True)
    jobs.enqueue(broker, Task.INGEST, "second")
    environment = {**os.environ, **environment_of(settings)}
    runner = subprocess.Popen([sys.executable, "-c", RUNNER], env=environment)
    try:
        pause = threading.Event()
        while broker.client.exists("rq:job:test-clips-second"):
            assert runner.poll() is None
            pause.wait(0.05)
    finally:
        runner.terminate()
        runner.wait()
    assert jobs.stands(broker, Task.INGEST, "forgotten")


def test_a_runner_that_is_to_stop_waits_for_its_job_to_end_without_an_alarm(broker: Broker) -> None:
    """RQ's alarm would raise out of the wait, and the runner go on to the next job."""

    class Waiting(_Runner):
        pending_s: tuple[float, float] | None = None

        def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
            pass

        def wait_for_horse(self) -> tuple[None, None, None]:
            self.pending_s = signal.getitimer(signal.ITIMER_REAL)
            return None, None, None

    runner = Waiting([queue_of(broker, Task.INGEST)], name="w", connection=connection_of(broker))
    runner._horse_pid = 1
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.alarm(100)
    try:
        with pytest.raises(SystemExit):
            runner.request_stop(signal.SIGTERM, None)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert runner.pending_s == (0.0, 0.0)
