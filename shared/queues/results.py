"""What was found out about a clip, read by cursor: nothing is missed, nothing comes twice.

A cursor is the id of the last entry read; `START` reads from the beginning.
"""

from typing import Final, TypeVar

from shared.messages import Frame, Frames, Message, Neighbours, Reading, decode
from shared.queues.broker import Broker

START: Final = "0-0"
M = TypeVar("M", bound=Message)


def readings(
    broker: Broker, clip_id: str, cursor: str = START, count: int = 1000
) -> tuple[list[Reading], str]:
    """Return up to `count` readings after `cursor`, in the order they were made, and the next cursor."""
    return _read(broker, broker.keys.readings(clip_id), Reading, cursor, count)


def neighbours(
    broker: Broker, clip_id: str, cursor: str = START, count: int = 1000
) -> tuple[list[Neighbours], str]:
    """Return up to `count` faces' neighbours after `cursor`, and the next cursor."""
    return _read(broker, broker.keys.neighbours(clip_id), Neighbours, cursor, count)


def frames(broker: Broker, clip_id: str, cursor: str = START, count: int = 1000) -> tuple[list[Frame], str]:
    """Return the frames of up to `count` commits after `cursor`, in order, and the next cursor."""
    groups, cursor = _read(broker, broker.keys.frames(clip_id), Frames, cursor, count)
    return [frame for group in groups for frame in group.frames], cursor


def _read(broker: Broker, stream: str, kind: type[M], cursor: str, count: int) -> tuple[list[M], str]:
    page = broker.client.xrange(stream, f"({cursor}", "+", count=count)
    if not page:
        return [], cursor
    return [decode(kind, fields[b"m"]) for _, fields in page], page[-1][0].decode()
