"""The RQ side: clips on queues, and what becomes of jobs that do not end well."""

import os
import signal
import subprocess
import sys
from typing import cast

import pytest
from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from shared.queues import jobs
from shared.queues.broker import Broker
from shared.queues.tasks import Task, fetch
from shared.settings import Settings, environment_of

RUNNER = """
from shared.queues import runner
from shared.queues.broker import connect
from shared.queues.tasks import Task
from shared.settings import load_settings
broker = connect(load_settings())
runner.run(broker, Task.INGEST, "runner")
"""


def test_a_clip_stands_on_its_queue_once(broker: Broker) -> None:
    jobs.enqueue(broker, Task.INGEST, "c1")
    jobs.enqueue(broker, Task.INGEST, "c1")
    assert jobs.lengths(broker) == {"clips": 1, "finish": 0, "training": 0}


def test_completed_clips_are_ordered_and_leave_the_set(broker: Broker) -> None:
    broker.client.sadd(broker.keys.completed, "c1", "c2")
    jobs.dispatch_finished(broker)
    assert jobs.lengths(broker)["finish"] == 2
    assert broker.client.smembers(broker.keys.completed) == set()


def test_a_clip_whose_files_are_being_written_stays_completed_until_they_are(broker: Broker) -> None:
    jobs.enqueue(broker, Task.FINISH, "c1")
    job = fetch(broker, "test-finish-c1")
    job.set_status(JobStatus.STARTED)
    broker.client.sadd(broker.keys.completed, "c1")
    jobs.dispatch_finished(broker)
    assert broker.client.smembers(broker.keys.completed) == {b"c1"}
    job.delete()
    jobs.dispatch_finished(broker)
    assert broker.client.smembers(broker.keys.completed) == set()
    assert jobs.lengths(broker)["finish"] == 1


@pytest.mark.parametrize(
    ("noted", "reason"),
    [
        ("Work-horse terminated unexpectedly; waitpid returned 24 (signal 24); ", jobs.OVERTIME),
        (
            "Work-horse terminated unexpectedly; waitpid returned 11 (signal 11); ",
            "its process was ended by SIGSEGV",
        ),
        ("x (signal 99); ", "its process was ended by 99"),
        ("Traceback\n  File\nValueError: no\n", "ValueError: no"),
    ],
)
def test_a_failure_has_its_reason_in_one_line(broker: Broker, noted: str, reason: str) -> None:
    jobs.enqueue(broker, Task.INGEST, "c1")
    job = fetch(broker, "test-clips-c1")
    with broker.client.pipeline() as pipeline:
        job._handle_failure(noted, cast("Pipeline", pipeline), worker_name="w")
        pipeline.execute()
    assert jobs.take_failed(broker) == [("c1", reason)]


def test_a_job_that_names_another_function_is_refused(broker: Broker, settings: Settings) -> None:
    queue = Queue(
        broker.keys.queue("clips"), connection=cast("Redis", broker.client), serializer=JSONSerializer
    )
    queue.enqueue("os.mkdir", str(settings.home / "made"), job_id="test-clips-evil")
    runner = _start(settings)
    try:
        _wait_for_failures(broker, runner)
    finally:
        runner.send_signal(signal.SIGTERM)
        runner.wait(20)
    assert not (settings.home / "made").exists()


def _start(settings: Settings) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, **environment_of(settings)}
    return subprocess.Popen([sys.executable, "-c", RUNNER], env=environment)


def _wait_for_failures(broker: Broker, runner: "subprocess.Popen[bytes]") -> None:
    for _ in range(3000):
        if failed := jobs.take_failed(broker):
            assert "terminated unexpectedly" in failed[0][1]
            return
        try:
            runner.wait(0.01)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail("the runner ended")
    pytest.fail("the job did not fail")
