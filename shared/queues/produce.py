"""Ingest's side of the streams: commit decoded frames and found faces, once and in order."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.messages import Face, Frame, Frames, encode
from shared.queues import counters, lua
from shared.queues.broker import Broker
from shared.queues.outage import Outage, insist

_WAIT_S: Final = 0.05


@dataclass(frozen=True)
class Position:
    """Where ingest of a clip stands: the next frame to decode, the state committed with it, and the end."""

    frame: int
    state: bytes
    finished: bool


def position(broker: Broker, clip_id: str) -> Position:
    """Return where a clip's ingest goes on."""
    frame, state, finished = broker.client.hmget(
        broker.keys.clip(clip_id), ["position", "tracker", "ingested"]
    )
    return Position(int(frame or 0), state or b"", finished == b"1")


def commit(
    broker: Broker,
    clip_id: str,
    *,
    expected: int,
    frames: list[Frame],
    faces: list[Face],
    state: bytes,
    tracks: int,
    shots: int,
    last: bool,
    counts: Mapping[str, int] | None = None,
    decoded_s: Sequence[float] = (),
    outage: Outage | None = None,
) -> bool:
    """Commit the frames from `expected` on, and their faces, in one transaction with ingest's own state.

    `tracks` and `shots` are the clip's totals so far; `last` says that no more frames come; `counts` are
    added to the totals over all clips (`counters`); `decoded_s` as in `shared.messages.Frames`. Returns False
    when another process has gone on from `expected`, or the clip is gone: the caller has to stop. While the
    broker is away or full, it waits.
    """
    keys = broker.keys
    arguments: list[str | bytes | int] = [
        keys.clip(clip_id),
        keys.frames(clip_id),
        keys.faces,
        keys.completed,
        keys.counters,
        clip_id,
        secrets.token_hex(8),
        expected,
        expected + len(frames),
        state,
        tracks,
        shots,
        len(frames),
        int(last),
        encode(Frames(frames=frames, decoded_s=list(decoded_s))),
        counters.encode(counts),
        *[encode(face) for face in faces],
    ]
    # The token among the arguments tells a repeated commit from a second one.
    return bool(insist(lambda: broker.client.eval(lua.source("produce"), 5, *arguments), outage))


def wait_for_room(broker: Broker, high: int, low: int) -> None:
    """Return at once while fewer than `high` entries are on each work stream, else when fewer than `low` are.

    A `low` above `high` counts as `high`.
    """
    if _waiting(broker) < high:
        return
    while _waiting(broker) >= max(min(low, high), 1):
        time.sleep(_WAIT_S)


def _waiting(broker: Broker) -> int:
    keys = broker.keys
    return insist(lambda: max(broker.client.xlen(stream) for stream in (keys.faces, keys.queries)))
