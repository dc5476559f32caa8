"""Whose turn it is at ingest: the clip's that is due first.

A clip is due its own length after it came. So short clips go before long ones that came with them, and a long
one goes before all that come later than it is long: nobody waits for ever.
"""

from pathlib import Path
from typing import Final

from shared.queues import lua
from shared.queues.broker import Broker
from shared.queues.tasks import Task, connection_of, job_id_of, queue_of

_FRAME_RATE: Final = 25
_BYTES_PER_S: Final = 125_000
"""What a film of middling quality takes: good enough to put files in order before they are opened."""


def length_s(frames: int, file: Path) -> float:
    """Return about how long a clip is, in seconds; without a number of frames by the size of its file."""
    if frames:
        return frames / _FRAME_RATE
    try:
        return guessed_s(file.stat().st_size)
    except OSError:
        return 0.0


def guessed_s(size: int) -> float:
    """Return about how long a clip of so many bytes is, in seconds."""
    return size / _BYTES_PER_S


def expect(broker: Broker, clip_id: str, due_s: float) -> None:
    """Say when a clip is due, in Unix seconds: before it is queued, or goes back on its queue."""
    connection_of(broker).zadd(broker.keys.due, {job_id_of(broker, Task.INGEST, clip_id): due_s})


def forget(broker: Broker, clip_id: str) -> None:
    """Forget when a clip is due."""
    connection_of(broker).zrem(broker.keys.due, job_id_of(broker, Task.INGEST, clip_id))


def foremost(broker: Broker) -> float | None:
    """Bring the clip that is due first to the front of the queue, and return when it is due.

    None when no clip waits.
    """
    client, queue = connection_of(broker), queue_of(broker, Task.INGEST)
    due = client.eval(lua.source("foremost"), 2, queue.key, broker.keys.due)
    return None if due is None else float(due)
