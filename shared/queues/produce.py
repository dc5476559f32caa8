"""Ingest's side of the streams: commit decoded frames and found faces, once and in order."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.messages import Face, Frame, Frames, encode
from shared.queues import counters, lua
from shared.queues.broker import Broker
from shared.queues.outage import Outage, insist
from shared.queues.shards import home_of, keys_of

_WAIT_S: Final = 0.05


@dataclass(frozen=True)
class Position:
    """Where ingest of a clip stands: the next frame to decode, the state committed with it, and the end."""

    frame: int
    state: bytes
    finished: bool


def position(broker: Broker, clip_id: str) -> Position:
    """Return where a clip's ingest goes on."""
    key = keys_of(broker, clip_id).clip(clip_id)
    frame, state, finished = broker.client.hmget(key, ["position", "tracker", "ingested"])
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
    keys = insist(lambda: home_of(broker, clip_id), outage).keys
    names = [keys.clip(clip_id), keys.frames(clip_id), keys.completed, keys.counters, *keys.lanes]
    arguments: list[str | bytes | int] = [
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
    call = lua.source("produce")
    # The token among the arguments tells a repeated commit from a second one.
    return bool(insist(lambda: broker.client.eval(call, len(names), *names, *arguments), outage))


def wait_for_room(
    broker: Broker, high: int, low: int, clip_id: str = "", give_up: Callable[[], bool] = lambda: False
) -> bool:
    """Return at once while fewer than `high` faces, and searches, wait, else when fewer than `low` do.

    A `low` above `high` counts as `high`. What counts is the shard of the clip, and the lanes up to its own:
    those behind hold nobody up. Returns False when `give_up` says so before there is room.
    """
    home, streams = insist(lambda: _ahead(broker, clip_id))
    if _waiting(home, streams) < high:
        return True
    while _waiting(home, streams) >= max(min(low, high), 1):
        if give_up():
            return False
        time.sleep(_WAIT_S)
    return True


def _ahead(broker: Broker, clip_id: str) -> tuple[Broker, list[str]]:
    home = home_of(broker, clip_id)
    lane = home.client.hget(home.keys.clip(clip_id), "lane")
    return home, list(home.keys.lanes[: int(lane or 0) + 1])


def _waiting(broker: Broker, faces: list[str]) -> int:
    client, queries = broker.client, broker.keys.queries
    return insist(lambda: max(sum(client.xlen(lane) for lane in faces), client.xlen(queries)))
