"""How long faces take through the pipeline, by what their streams hold of it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from statistics import median
from typing import Final, TypeVar

import msgspec

from shared.errors import MessageError
from shared.messages import Frames, Message, Neighbours, Reading, decode
from shared.queues.broker import Broker
from shared.queues.shards import keys_of

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
    keys = keys_of(broker, clip_id)
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


def newest(broker: Broker, clip_id: str, captured_s: Mapping[int, float], count: int = 16) -> float | None:
    """Return how many seconds the newest results of a live source took, the median of at most `count`.

    `captured_s` says when frames came from the camera, Unix seconds on this machine's clock: that of the
    broker is asked, so that the two may differ. None when no result of such a frame is there.
    """
    seconds, microseconds = broker.client.time()
    ahead_s = seconds + microseconds / 1e6 - time.time()
    taken = []
    for entry, fields in broker.client.xrevrange(keys_of(broker, clip_id).readings(clip_id), count=count):
        with suppress(MessageError):
            frame = decode(Reading, fields.get(b"m", b"")).place.frame
            if frame in captured_s:
                taken.append(int(entry.split(b"-")[0]) / 1000 - captured_s[frame] - ahead_s)
    return max(0.0, median(taken)) if taken else None


def under_way(broker: Broker, clip_id: str) -> int:
    """Return how many of a clip's faces wait for a worker or are in hand."""
    key = keys_of(broker, clip_id).clip(clip_id)
    found = broker.client.hmget(key, ["faces", "done", "failed"])
    faces, done, failed = (int(value or 0) for value in found)
    return faces - done - failed
