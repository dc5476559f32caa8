"""How long faces take through the pipeline, by what their streams hold of it."""

from collections.abc import Iterator
from typing import Final, TypeVar

import msgspec

from shared.errors import MessageError
from shared.messages import Frames, Message, Neighbours, Reading, decode
from shared.queues.broker import Broker

_PAGE: Final = 1000
M = TypeVar("M", bound=Message)


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a clip's faces. Times are Unix seconds, of one machine."""

    latencies_s: tuple[float, ...]
    """From the decoder to a result that can be read, of each face that was read, in the results' order."""
    read_s: tuple[float, ...]
    """When each reading could be read."""
    last_result_s: float
    """When the last frame, reading or answer of retrieval could be read."""


def passage(broker: Broker, clip_id: str) -> Passage:
    """Return how long a clip's faces took; ingest and broker must go by the same clock.

    A result can be read from the moment that the broker adds it to its stream. Raises MessageError for a clip
    of which nobody noted when its frames were decoded, or whose streams have gone.
    """
    keys = broker.keys
    decoded_s: dict[int, float] = {}
    ended_s = 0.0
    for group, added_s in _entries(broker, keys.frames(clip_id), Frames):
        decoded_s.update({row.frame: at for row, at in zip(group.frames, group.decoded_s, strict=False)})
        ended_s = max(ended_s, added_s)
    if not decoded_s:
        raise MessageError(f"nothing says when the frames of clip {clip_id} were decoded")
    latencies_s, read_s = [], []
    for reading, added_s in _entries(broker, keys.readings(clip_id), Reading):
        if reading.place.frame in decoded_s:
            latencies_s.append(added_s - decoded_s[reading.place.frame])
        read_s.append(added_s)
    for _, added_s in _entries(broker, keys.neighbours(clip_id), Neighbours):
        ended_s = max(ended_s, added_s)
    return Passage(
        latencies_s=tuple(latencies_s), read_s=tuple(read_s), last_result_s=max(ended_s, *read_s, 0.0)
    )


def _entries(broker: Broker, stream: str, kind: type[M]) -> Iterator[tuple[M, float]]:
    """Yield the messages of a stream and when they came: the broker makes entry ids of its milliseconds."""
    start = "-"
    while page := broker.client.xrange(stream, start, "+", count=_PAGE):
        for entry, fields in page:
            yield decode(kind, fields.get(b"m", b"")), int(entry.split(b"-")[0]) / 1000
        start = f"({page[-1][0].decode()}"
