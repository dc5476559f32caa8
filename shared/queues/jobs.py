"""RQ: the jobs that carry clips and training runs, and what becomes of them."""

import logging
import re
import signal
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from rq import Queue, Worker
from rq.command import send_stop_job_command
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job, JobStatus, Retry
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from shared.errors import MessageError
from shared.queues import shards, turns
from shared.queues.broker import Broker
from shared.queues.presence import Service
from shared.queues.tasks import PlainJob, Task, call_of, connection_of, fetch, job_id_of, queue_of

logger = logging.getLogger(__name__)

OVERTIME: Final = "it took more computing time than a clip of its length may (REELMOOD_DECODE_LIMIT_S)"
"""The reason of a job that went beyond its processor time: another attempt would do so too."""

_TIMEOUT_S: Final = 24 * 3600
_NEVER: Final = -1
_TRAINING_RETRIES: Final = 5
_FAILURE_TTL_S: Final = 24 * 3600
_WITHDRAWAL_S: Final = 10.0
_LOOK_S: Final = 0.05


_OF_CLIPS: Final = (Task.INGEST, Task.FINISH)


AGAIN: Final = Retry(1 << 31)
"""What a job returns that is to go back on its queue."""


def enqueue(broker: Broker, task: Task, name: str) -> bool:
    """Put a clip or a training run on a queue; nothing happens when it is there already or under way.

    Returns whether it is on the queue now: False when it is under way. A clip that crashes is the watcher's
    to queue again; a training run goes back by itself, to the front, at most five times in a row.
    """
    job_id = job_id_of(broker, task, name)
    try:
        job = fetch(broker, job_id)
        status = job.get_status()
        if status in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.SCHEDULED):
            return status is not JobStatus.STARTED
        job.delete()
    except NoSuchJobError:
        pass
    trains = task is Task.TRAIN
    queue_of(broker, task).enqueue(
        task.function,
        name,
        job_id=job_id,
        job_timeout=_NEVER if trains else _TIMEOUT_S,
        result_ttl=0,
        failure_ttl=_NEVER if trains else _FAILURE_TTL_S,
        retry=Retry(_TRAINING_RETRIES, enqueue_at_front=True) if trains else None,
    )
    return True


def allow_retries(broker: Broker, name: str) -> None:
    """Let a training run that has got on crash five times more."""
    job_id = job_id_of(broker, Task.TRAIN, name)
    with suppress(NoSuchJobError):
        connection_of(broker).hset(fetch(broker, job_id).key, "retries_left", str(_TRAINING_RETRIES))


def stands(broker: Broker, task: Task, name: str) -> bool:
    """Tell whether a job waits on its queue, is under way, or has crashed and waits for `take_failed`.

    For a moment none of this holds: while a runner takes the job.
    """
    queue, job_id = queue_of(broker, task), job_id_of(broker, task, name)
    try:
        status = fetch(broker, job_id).get_status()
    except (NoSuchJobError, InvalidJobOperation):
        return False
    if status is JobStatus.QUEUED:
        return queue.get_job_position(job_id) is not None
    if status is JobStatus.FAILED:
        return job_id in FailedJobRegistry(queue=queue)
    return job_id in StartedJobRegistry(queue=queue)


def restore(broker: Broker, task: Task, name: str) -> None:
    """Put a clip or a training run whose job has been lost on its queue again."""
    drop(broker, task, name)
    enqueue(broker, task, name)


def drop(broker: Broker, task: Task, name: str) -> None:
    """Take a clip or a training run that nobody works on off its queue."""
    queue, job_id = queue_of(broker, task), job_id_of(broker, task, name)
    with suppress(NoSuchJobError):
        fetch(broker, job_id).delete()
    connection_of(broker).lrem(queue.intermediate_queue_key, 0, job_id)


def waits(broker: Broker, task: Task, name: str) -> bool:
    """Tell whether a job waits on its queue."""
    return queue_of(broker, task).get_job_position(job_id_of(broker, task, name)) is not None


def crash(broker: Broker, task: Task, name: str) -> str | None:
    """Return why a job crashed, one line; None when it did not, or has retries left."""
    try:
        job = fetch(broker, job_id_of(broker, task, name))
        if job.get_status() is not JobStatus.FAILED:
            return None
    except (NoSuchJobError, InvalidJobOperation):
        return None
    return _reason_of(job)


def withdraw(broker: Broker, clip_id: str) -> bool:
    """Take a clip off the queues, and stop what is being done about it.

    Returns False when a runner that holds it does not let go within 10 s.
    """
    stopped = True
    for task in _OF_CLIPS:
        try:
            job = fetch(broker, job_id_of(broker, task, clip_id))
        except NoSuchJobError:
            continue
        stopped = _stop(broker, job) and stopped
        job.delete()
    turns.forget(broker, clip_id)
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
    for home in shards.every(broker):
        for member in broker.client.smembers(home.keys.completed):
            if enqueue(broker, Task.FINISH, member.decode()):
                broker.client.srem(home.keys.completed, member)


def take_failed(broker: Broker) -> list[tuple[str, str]]:
    """Return and remove the clips' jobs that crashed: clip id and reason, one line."""
    failed = []
    for task in _OF_CLIPS:
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
    try:
        _, clip_id = call_of(job)
    except MessageError as error:
        logger.warning("%s, it is dropped", error)
        return []
    return [(clip_id, _reason_of(job))]


def _reason_of(job: Job) -> str:
    """Return the last line of what RQ noted about a failure, signals by their names."""
    result = job.latest_result()
    text = (result.exc_string if result else None) or "crashed"
    killed = re.search(r"\(signal (\d+)\)", text)
    if killed is None:
        return text.strip().splitlines()[-1].strip("; ")
    number = int(killed[1])
    names = {each.value: each.name for each in signal.Signals}
    return OVERTIME if number == signal.SIGXCPU else f"its process was ended by {names.get(number, number)}"


def lengths(broker: Broker) -> dict[str, int]:
    """Return how many clips, and training runs, wait on each queue."""
    return {task.queue: queue_of(broker, task).count for task in Task}


def taken(broker: Broker) -> dict[str, int]:
    """Return how many jobs of each queue are under way."""
    return {
        task.queue: StartedJobRegistry(queue=queue_of(broker, task)).get_job_count(cleanup=False)
        for task in Task
    }


def ages(broker: Broker) -> dict[str, float]:
    """Return how many seconds the oldest job of each queue has waited; 0 where none waits."""
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
            kind=task.service,
            pid=worker.pid or 0,
            host=worker.hostname or "",
            handled=worker.successful_job_count,
        )
        for task in Task
        for worker in Worker.all(queue=queue_of(broker, task), job_class=PlainJob, serializer=JSONSerializer)
    ]


def runner_name(broker: Broker, task: Task, slot: int) -> str:
    """Return the stable name of a runner: a restarted one takes over what its predecessor had begun."""
    return f"{broker.keys.prefix}-{task.queue}-{socket.gethostname()}-{slot}"
