"""What was found out about a clip, read by cursor: nothing is missed, nothing comes twice.

A cursor is the id of the last entry read; `START` reads from the beginning, and the end is reached when it
stays where it was. An entry that cannot be decoded is passed over, and `refused` is told which and why.
"""

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from shared.errors import MessageError
from shared.messages import Frame, Frames, Message, Neighbours, Reading, decode
from shared.queues.broker import Broker
from shared.queues.shards import keys_of

logger = logging.getLogger(__name__)

Refused = Callable[[str], object]

START: Final = "0-0"
_PAGE: Final = 1000
M = TypeVar("M", bound=Message)


def readings(
    broker: Broker, clip_id: str, cursor: str = START, count: int = 1000, refused: Refused = logger.warning
) -> tuple[list[Reading], str]:
    """Return up to `count` readings after `cursor`, in the order they were made, and the next cursor."""
    return _read(broker, keys_of(broker, clip_id).readings(clip_id), Reading, cursor, count, refused)


def neighbours(
    broker: Broker, clip_id: str, cursor: str = START, count: int = 1000, refused: Refused = logger.warning
) -> tuple[list[Neighbours], str]:
    """Return up to `count` faces' neighbours after `cursor`, and the next cursor."""
    return _read(broker, keys_of(broker, clip_id).neighbours(clip_id), Neighbours, cursor, count, refused)


def drop_neighbours(broker: Broker, clip_id: str, source: str) -> int:
    """Delete the answers of a clip in which a face of `source` (a clip's name) stands; return how many."""
    dropped, start = 0, START
    stream = keys_of(broker, clip_id).neighbours(clip_id)
    while page := broker.client.xrange(stream, f"({start}", "+", count=_PAGE):
        naming = [entry for entry, fields in page if _names(fields.get(b"m", b""), source)]
        dropped += broker.client.xdel(stream, *naming) if naming else 0
        start = page[-1][0].decode()
    return dropped


def _names(message: bytes, source: str) -> bool:
    try:
        return any(one.source == source for one in decode(Neighbours, message).nearest)
    except MessageError:
        return False


def frames(
    broker: Broker, clip_id: str, cursor: str = START, count: int = 1000, refused: Refused = logger.warning
) -> tuple[list[Frame], str]:
    """Return the frames of up to `count` commits after `cursor`, in order, and the next cursor."""
    groups, cursor = _read(broker, keys_of(broker, clip_id).frames(clip_id), Frames, cursor, count, refused)
    return [frame for group in groups for frame in group.frames], cursor


def _read(
    broker: Broker, stream: str, kind: type[M], cursor: str, count: int, refused: Refused
) -> tuple[list[M], str]:
    messages = []
    for entry, fields in broker.client.xrange(stream, f"({cursor}", "+", count=count):
        cursor = entry.decode()
        try:
            messages.append(decode(kind, fields.get(b"m", b"")))
        except MessageError as error:
            refused(f"entry {cursor} of {stream} cannot be read: {error}")
    return messages, cursor
