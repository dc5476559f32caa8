"""The tasks that travel as RQ jobs: JSON on the wire, a queue and one known function for each."""

import re
from enum import Enum
from typing import Any, cast

from redis import Redis
from rq import Queue
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer

from shared.errors import MessageError
from shared.queues.broker import Broker


class Task(Enum):
    """The queues, the one function that each may run, and the service that works it off."""

    INGEST = ("clips", "services.ingest.job.ingest_clip", "ingest")
    FINISH = ("finish", "services.recorder.job.finish_clip", "recorder")
    TRAIN = ("training", "services.trainer.job.train_run", "trainer")

    @property
    def queue(self) -> str:
        """Name of the queue, without the prefix."""
        return self.value[0]

    @property
    def function(self) -> str:
        """Dotted name of the function."""
        return self.value[1]

    @property
    def service(self) -> str:
        """Kind of the service whose runners work it off."""
        return self.value[2]


class PlainJob(Job):
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


def job_id_of(broker: Broker, task: Task, name: str) -> str:
    """Return the id of the job that is about a clip or a training run.

    RQ allows letters, digits, `_` and `-`: any other character, and `_`, stands as `_<its code in hex>_`.
    """
    spelt = re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", name)
    return f"{broker.keys.prefix}-{task.queue}-{spelt}"


def connection_of(broker: Broker) -> Redis:
    """Return the client of the server that the queues are on, as RQ wants it."""
    return cast("Redis", broker.jobs or broker.client)


def queue_of(broker: Broker, task: Task) -> Queue:
    """Return the queue of a task."""
    return Queue(
        broker.keys.queue(task.queue),
        connection=connection_of(broker),
        job_class=PlainJob,
        serializer=JSONSerializer,
    )


def call_of(job: Job) -> tuple[str, str]:
    """Return the function and the clip or run that a job names. Raises MessageError when it is not ours."""
    try:
        function, arguments = job.func_name, job.args
        if isinstance(function, str) and not job.instance and not job.kwargs:
            [name] = arguments
            if isinstance(name, str):
                return function, name
    except (DeserializationError, TypeError, ValueError):
        pass
    raise MessageError(f"job {job.id} names no clip or training run")


def fetch(broker: Broker, job_id: str) -> Job:
    """Return a job. Raises NoSuchJobError."""
    return PlainJob.fetch(job_id, connection=connection_of(broker), serializer=JSONSerializer)
