"""RQ's runner: works off a queue, each job in a forked process, and outlives the broker's outages."""

import logging
import math
import os
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from types import FrameType
from typing import Any, Final

from redis import Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.client import Pipeline
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from shared.errors import MessageError, ReelmoodError
from shared.logs import about
from shared.process import die_with_parent
from shared.pulse import Pulse
from shared.queues import turns
from shared.queues.broker import LOST, Broker
from shared.queues.tasks import PlainJob, Task, call_of, connection_of, fetch, queue_of

logger = logging.getLogger(__name__)

_MONITOR_S: Final = 5
_MAINTENANCE_S: Final = 30
_TTL_S: Final = 20
"""RQ waits for a job for 15 s less than this at a time; each time counts as a beat of the pulse."""
_LONGEST_PAUSE_S: Final = 2.0
_CALM_S: Final = 10.0


def run(broker: Broker, task: Task, name: str, pulse: Pulse | None = None) -> None:
    """Work off a queue, one job at a time in a forked process, until SIGTERM or SIGINT.

    The loop that waits for jobs and watches over the one under way beats in `pulse`. While the broker is away
    it waits, and the job under way goes on. A job that is under way at the end is killed and goes back on the
    queue; its next run goes on from its last commit.
    """
    pulse = pulse or Pulse()
    # Until RQ listens to signals itself they end this process at once: nothing is in hand yet.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    connection = connection_of(broker)
    # RQ itself waits for a lost broker in one of its steps, and ends at most others.
    connection.set_retry(Retry(_Patience(pulse), -1, LOST))
    _bury_predecessor(connection, name)
    _requeue(broker, task, name)
    runner = _Runner(
        [queue_of(broker, task)],
        name=name,
        connection=connection,
        job_class=PlainJob,
        serializer=JSONSerializer,
        worker_ttl=_TTL_S,
        job_monitoring_interval=_MONITOR_S,
        maintenance_interval=_MAINTENANCE_S,
    )
    runner.pulse = pulse
    if task is Task.INGEST:
        runner.choose = lambda: turns.foremost(broker)
    try:
        runner.work(logging_level="WARNING")
    finally:
        with suppress(*LOST):
            _requeue(broker, task, name)


class _Patience(ExponentialBackoff):
    """Pauses between attempts to reach the broker; the first of a troubled time is logged."""

    def __init__(self, pulse: Pulse) -> None:
        super().__init__(cap=_LONGEST_PAUSE_S, base=0.05)
        self._pulse = pulse
        self._failed_s = -math.inf

    def __deepcopy__(self, _memo: dict[int, Any]) -> "_Patience":
        return self  # every connection gets a copy, and all of them beat in the one pulse

    def compute(self, failures: int) -> float:
        now = time.monotonic()
        if failures == 1 and now - self._failed_s > _CALM_S:
            logger.warning("the runner waits for the broker")
        self._failed_s = now
        self._pulse.beat(ready=False)
        return float(super().compute(failures))


class _Runner(Worker):
    """RQ's forking worker, with jobs that end with it and run only what their queue is for."""

    pulse: Pulse
    choose: Callable[[], object] = staticmethod(lambda: None)
    """Brings the job that is to be done next to the front of the queue."""

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        self.choose()
        return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        # A broker that has lost its data, or not heard of this runner for long, does not list it any more.
        if not self.is_horse and not self.connection.sismember(self.redis_workers_keys, self.key):
            self.connection.delete(self.key)
            self.register_birth()  # type: ignore[no-untyped-call]
        super().heartbeat(timeout, pipeline)
        self.pulse.beat(ready=True)

    def request_stop(self, _signum: int, _frame: FrameType | None) -> None:
        if self.horse_pid:
            # RQ's own look at the job would raise out of the wait for its end, and this stop be lost.
            signal.alarm(0)
            self.kill_horse()
            self.wait_for_horse()
        self.connection.set_retry(Retry(NoBackoff(), 0))
        raise SystemExit

    def teardown(self) -> None:
        with suppress(*LOST):
            super().teardown()  # type: ignore[no-untyped-call]

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        # What says all in a line, or comes of a broker that lost its data meanwhile, is no bug to trace.
        if isinstance(exc_info[1], (ReelmoodError, InvalidJobOperation, NoSuchJobError)):
            logger.warning("job %s ended early: %s", job.id, exc_info[1])
        else:
            super().handle_exception(job, *exc_info)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent()
        if os.getppid() != self.pid:
            os._exit(os.EX_TEMPFAIL)
        known = {task.function for task in Task if queue.name.endswith(f":{task.queue}")}
        try:
            function, name = call_of(job)
        except MessageError as error:
            logger.error("%s, it is not run", error)
            os._exit(os.EX_DATAERR)
        if function not in known:
            logger.error("job %s names %s, which this queue does not run", job.id, function)
            os._exit(os.EX_NOPERM)
        with nullcontext() if function == Task.TRAIN.function else about(name):
            super().main_work_horse(job, queue)


def _bury_predecessor(client: Redis, name: str) -> None:
    predecessor = Worker.find_by_key(Worker.redis_worker_namespace_prefix + name, connection=client)
    if predecessor is not None:
        predecessor.register_death()  # type: ignore[no-untyped-call]


def _requeue(broker: Broker, task: Task, runner: str) -> None:
    """Put the jobs that a runner of this name has in hand back on their queue."""
    queue, connection = queue_of(broker, task), connection_of(broker)
    registry = StartedJobRegistry(queue=queue)
    for job_id, execution_id in registry.get_job_and_execution_ids(cleanup=False):
        try:
            execution = Execution.fetch(execution_id, job_id, connection)
            job = fetch(broker, job_id)
        except (NoSuchJobError, ValueError):
            continue
        if execution.worker_name == runner and job.get_status() in (JobStatus.STARTED, JobStatus.QUEUED):
            connection.zrem(registry.key, execution.composite_key)
            connection.lrem(queue.intermediate_queue_key, 0, job_id)
            queue.enqueue_job(job, at_front=True)
            logger.info("job %s is back on its queue", job_id)
