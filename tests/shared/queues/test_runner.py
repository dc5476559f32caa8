"""A runner that was killed: its successor of the same name does what it had in hand."""

import os
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
from shared.queues.jobs import ClipJob, Task
from shared.settings import Settings, environment_of
from tests.shared.queues.test_jobs import RUNNER


def _take(broker: Broker, name: str, *, begun: bool) -> None:
    """Take a job as a runner does that is killed before or after its process is forked."""
    worker = Worker(
        [jobs.queue_of(broker, Task.INGEST)],
        name=name,
        connection=cast("Redis", broker.client),
        job_class=ClipJob,
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
