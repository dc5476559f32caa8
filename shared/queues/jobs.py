"""RQ: the jobs that carry whole clips. JSON on the wire, one queue per worker, known functions only."""

import logging
import re
import signal
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, cast

from redis import Redis
from rq import Queue, Worker
from rq.command import send_stop_job_command
from rq.exceptions import DeserializationError, InvalidJobOperation, NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from shared.errors import MessageError
from shared.queues.broker import Broker
from shared.queues.presence import Service

logger = logging.getLogger(__name__)

OVERTIME: Final = "it took more computing time than a clip of its length may (REELMOOD_DECODE_LIMIT_S)"
"""The reason of a job that went beyond its processor time: another attempt would do so too."""

_TIMEOUT_S: Final = 24 * 3600
_FAILURE_TTL_S: Final = 24 * 3600
_WITHDRAWAL_S: Final = 10.0
_LOOK_S: Final = 0.05


class Task(Enum):
    """The queues, and the one function that each may run."""

    INGEST = ("clips", "services.ingest.job.ingest_clip")
    FINISH = ("finish", "services.recorder.job.finish_clip")

    @property
    def queue(self) -> str:
        """Name of the queue, without the prefix."""
        return self.value[0]

    @property
    def function(self) -> str:
        """Dotted name of the function."""
        return self.value[1]


def enqueue(broker: Broker, task: Task, clip_id: str) -> bool:
    """Put a clip on a queue; nothing happens when it is there already or under way.

    Returns whether it is on the queue now: False when it is under way.
    """
    job_id = _job_id(broker, task, clip_id)
    try:
        job = fetch(broker, job_id)
        status = job.get_status()
        if status in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.SCHEDULED):
            return status is not JobStatus.STARTED
        job.delete()
    except NoSuchJobError:
        pass
    queue_of(broker, task).enqueue(
        task.function,
        clip_id,
        job_id=job_id,
        job_timeout=_TIMEOUT_S,
        result_ttl=0,
        failure_ttl=_FAILURE_TTL_S,
    )
    return True


def stands(broker: Broker, task: Task, clip_id: str) -> bool:
    """Tell whether a clip's job waits on its queue, is under way, or has crashed and waits for `take_failed`.

    For a moment none of this holds: while a runner takes the job.
    """
    queue, job_id = queue_of(broker, task), _job_id(broker, task, clip_id)
    try:
        status = fetch(broker, job_id).get_status()
    except (NoSuchJobError, InvalidJobOperation):
        return False
    if status is JobStatus.QUEUED:
        return queue.get_job_position(job_id) is not None
    if status is JobStatus.FAILED:
        return job_id in FailedJobRegistry(queue=queue)
    return job_id in StartedJobRegistry(queue=queue)


def restore(broker: Broker, task: Task, clip_id: str) -> None:
    """Put a clip whose job has been lost on its queue again."""
    queue, job_id = queue_of(broker, task), _job_id(broker, task, clip_id)
    with suppress(NoSuchJobError):
        fetch(broker, job_id).delete()
    connection_of(broker).lrem(queue.intermediate_queue_key, 0, job_id)
    enqueue(broker, task, clip_id)


def withdraw(broker: Broker, clip_id: str) -> bool:
    """Take a clip off the queues, and stop what is being done about it.

    Returns False when a runner that holds it does not let go within 10 s.
    """
    stopped = True
    for task in Task:
        try:
            job = fetch(broker, _job_id(broker, task, clip_id))
        except NoSuchJobError:
            continue
        stopped = _stop(broker, job) and stopped
        job.delete()
    return stopped


def _stop(broker: Broker, job: Job) -> bool:
    if job.get_status() is not JobStatus.STARTED:
        return True
    deadline = time.monotonic() + _WITHDRAWAL_S
    while time.monotonic() < deadline:
        try:
            # said again and again: it is not heard before the runner has the job in hand
            send_stop_job_command(connection_of(broker), job.id, serializer=JSONSerializer)
            if job.get_status() is not JobStatus.STARTED:
                return True
        except (InvalidJobOperation, NoSuchJobError):
            return True
        time.sleep(_LOOK_S)
    return False


def dispatch_finished(broker: Broker) -> None:
    """Order the files of every clip whose last face is done.

    A clip leaves the `completed` set only after its job is on the queue, so that a crash in between loses
    nothing; a job that is ordered twice writes the same files. One whose files are being written stays in the
    set until they are: a dead letter that was put back may have completed it anew.
    """
    for member in broker.client.smembers(broker.keys.completed):
        if enqueue(broker, Task.FINISH, member.decode()):
            broker.client.srem(broker.keys.completed, member)


def take_failed(broker: Broker) -> list[tuple[str, str]]:
    """Return and remove the jobs that crashed: clip id and reason, one line."""
    failed = []
    for task in Task:
        registry = FailedJobRegistry(queue=queue_of(broker, task))
        for job_id in registry.get_job_ids():
            try:
                job = fetch(broker, job_id)
            except NoSuchJobError:
                continue
            failed += _failure(job)
            registry.remove(job_id, delete_job=True)
    return failed


def _failure(job: Job) -> list[tuple[str, str]]:
    result = job.latest_result()
    text = (result.exc_string if result else None) or "crashed"
    try:
        _, clip_id = call_of(job)
    except MessageError as error:
        logger.warning("%s, it is dropped", error)
        return []
    return [(clip_id, _reason(text))]


def _reason(text: str) -> str:
    """Return the last line of what RQ noted about a failure, signals by their names."""
    killed = re.search(r"\(signal (\d+)\)", text)
    if killed is None:
        return text.strip().splitlines()[-1].strip("; ")
    number = int(killed[1])
    names = {each.value: each.name for each in signal.Signals}
    return OVERTIME if number == signal.SIGXCPU else f"its process was ended by {names.get(number, number)}"


def lengths(broker: Broker) -> dict[str, int]:
    """Return how many clips wait on each queue."""
    return {task.queue: queue_of(broker, task).count for task in Task}


def ages(broker: Broker) -> dict[str, float]:
    """Return how many seconds the oldest clip of each queue has waited; 0 where none waits."""
    return {task.queue: _age(queue_of(broker, task)) for task in Task}


def _age(queue: Queue) -> float:
    for job in queue.get_jobs(0, 1):
        if job.enqueued_at:
            return max(0.0, (datetime.now(UTC) - job.enqueued_at).total_seconds())
    return 0.0


def runners(broker: Broker) -> list[Service]:
    """Return the RQ workers that are alive."""
    return [
        Service(
            name=worker.name,
            kind="ingest" if task is Task.INGEST else "recorder",
            pid=worker.pid or 0,
            host=worker.hostname or "",
            handled=worker.successful_job_count,
        )
        for task in Task
        for worker in Worker.all(queue=queue_of(broker, task), job_class=ClipJob, serializer=JSONSerializer)
    ]


def runner_name(broker: Broker, task: Task, slot: int) -> str:
    """Return the stable name of a runner: a restarted one takes over what its predecessor had begun."""
    return f"{broker.keys.prefix}-{task.queue}-{socket.gethostname()}-{slot}"


class ClipJob(Job):
    """A job that carries a function and its arguments, and nothing else that RQ would run or call for it."""

    @property
    def success_callback(self) -> None:
        """Nothing: RQ would import and call it."""
        return None

    @property
    def failure_callback(self) -> None:
        """Nothing: RQ would import and call it."""
        return None

    @property
    def stopped_callback(self) -> None:
        """Nothing: RQ would import and call it."""
        return None

    def send_webhooks(self, *_: Any, **__: Any) -> None:
        """Call nobody."""


def _job_id(broker: Broker, task: Task, clip_id: str) -> str:
    return f"{broker.keys.prefix}-{task.queue}-{clip_id}"


def connection_of(broker: Broker) -> Redis:
    """Return the client as RQ wants it."""
    return cast("Redis", broker.client)


def queue_of(broker: Broker, task: Task) -> Queue:
    """Return the queue of a task."""
    return Queue(
        broker.keys.queue(task.queue),
        connection=connection_of(broker),
        job_class=ClipJob,
        serializer=JSONSerializer,
    )


def call_of(job: Job) -> tuple[str, str]:
    """Return the function and the clip that a job names. Raises MessageError when it is no job of ours."""
    try:
        function, arguments = job.func_name, job.args
        if isinstance(function, str) and not job.instance and not job.kwargs:
            [clip_id] = arguments
            if isinstance(clip_id, str):
                return function, clip_id
    except (DeserializationError, TypeError, ValueError):
        pass
    raise MessageError(f"job {job.id} names no clip")


def fetch(broker: Broker, job_id: str) -> Job:
    """Return a job. Raises NoSuchJobError."""
    return ClipJob.fetch(job_id, connection=connection_of(broker), serializer=JSONSerializer)
