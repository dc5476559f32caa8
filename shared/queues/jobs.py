"""RQ: the jobs that carry whole clips. JSON on the wire, one queue per worker, known functions only."""

import logging
import os
import socket
from enum import Enum
from types import FrameType
from typing import Final, cast

from redis import Redis
from rq import Queue, Retry, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from shared.process import die_with_parent
from shared.queues.broker import Broker
from shared.queues.presence import Service

logger = logging.getLogger(__name__)

_RETRIES: Final = 5
_TIMEOUT_S: Final = 24 * 3600
_FAILURE_TTL_S: Final = 24 * 3600
_MONITOR_S: Final = 5
_MAINTENANCE_S: Final = 30


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


def enqueue(broker: Broker, task: Task, clip_id: str) -> None:
    """Put a clip on a queue; nothing happens when it is there already or under way."""
    job_id = f"{broker.keys.prefix}-{task.queue}-{clip_id}"
    try:
        job = _fetch(broker, job_id)
        if job.get_status() in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.SCHEDULED):
            return
        job.delete()
    except NoSuchJobError:
        pass
    _queue(broker, task).enqueue(
        task.function,
        clip_id,
        job_id=job_id,
        job_timeout=_TIMEOUT_S,
        result_ttl=0,
        failure_ttl=_FAILURE_TTL_S,
        retry=Retry(max=_RETRIES),
    )


def dispatch_finished(broker: Broker) -> None:
    """Order the files of every clip whose last face is done.

    A clip leaves the `completed` set only after its job is on the queue, so that a crash in between loses
    nothing; a job that is ordered twice writes the same files.
    """
    for member in broker.client.smembers(broker.keys.completed):
        enqueue(broker, Task.FINISH, member.decode())
        broker.client.srem(broker.keys.completed, member)


def take_failed(broker: Broker) -> list[tuple[str, str]]:
    """Return and remove the jobs that crashed too often: clip id and reason, one line."""
    failed = []
    for task in Task:
        registry = FailedJobRegistry(queue=_queue(broker, task))
        for job_id in registry.get_job_ids():
            try:
                job = _fetch(broker, job_id)
            except NoSuchJobError:
                continue
            result = job.latest_result()
            text = (result.exc_string if result else None) or "crashed"
            failed.append((str(job.args[0]), text.strip().splitlines()[-1].strip("; ")))
            registry.remove(job_id, delete_job=True)
    return failed


def lengths(broker: Broker) -> dict[str, int]:
    """Return how many clips wait on each queue."""
    return {task.queue: _queue(broker, task).count for task in Task}


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
        for worker in Worker.all(queue=_queue(broker, task))
    ]


def runner_name(broker: Broker, task: Task, slot: int) -> str:
    """Return the stable name of a runner: a restarted one takes over what its predecessor had begun."""
    return f"{broker.keys.prefix}-{task.queue}-{socket.gethostname()}-{slot}"


def run(broker: Broker, task: Task, name: str) -> None:
    """Work off a queue, one job at a time in a forked process, until SIGTERM or SIGINT.

    A job that is under way then is killed and goes back on the queue; its next run goes on from its last
    commit.
    """
    queue = _queue(broker, task)
    _bury_predecessor(_connection(broker), name)
    _requeue(broker, task, name)
    runner = _Runner(
        [queue],
        name=name,
        connection=_connection(broker),
        serializer=JSONSerializer,
        job_monitoring_interval=_MONITOR_S,
        maintenance_interval=_MAINTENANCE_S,
    )
    try:
        runner.work(logging_level="WARNING")
    finally:
        _requeue(broker, task, name)


class _Runner(Worker):
    """RQ's forking worker, with jobs that end with it and run only what their queue is for."""

    def request_stop(self, _signum: int, _frame: FrameType | None) -> None:
        if self.horse_pid:
            self.kill_horse()
            self.wait_for_horse()
        raise SystemExit

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent()
        known = {task.function for task in Task if queue.name.endswith(f":{task.queue}")}
        if job.func_name not in known:
            logger.error("job %s names %s, which this queue does not run", job.id, job.func_name)
            os._exit(os.EX_NOPERM)
        super().main_work_horse(job, queue)


def _connection(broker: Broker) -> Redis:
    return cast("Redis", broker.client)


def _queue(broker: Broker, task: Task) -> Queue:
    return Queue(broker.keys.queue(task.queue), connection=_connection(broker), serializer=JSONSerializer)


def _fetch(broker: Broker, job_id: str) -> Job:
    return Job.fetch(job_id, connection=_connection(broker), serializer=JSONSerializer)


def _bury_predecessor(client: Redis, name: str) -> None:
    predecessor = Worker.find_by_key(Worker.redis_worker_namespace_prefix + name, connection=client)
    if predecessor is not None:
        predecessor.register_death()  # type: ignore[no-untyped-call]


def _requeue(broker: Broker, task: Task, runner: str) -> None:
    queue = _queue(broker, task)
    registry = StartedJobRegistry(queue=queue)
    for job_id in registry.get_job_ids(cleanup=False):
        try:
            job = _fetch(broker, job_id)
        except NoSuchJobError:
            continue
        if job.worker_name == runner and job.get_status() is JobStatus.STARTED:
            registry.remove_executions(job)
            queue.enqueue_job(job, at_front=True)
            logger.info("job %s is back on its queue", job_id)
