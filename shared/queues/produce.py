"""Ingest's side of the streams: commit decoded frames and found faces, once and in order."""

import secrets
import time
from dataclasses import dataclass
from typing import Final

from shared.messages import Face, Frame, Frames, encode
from shared.queues import lua
from shared.queues.broker import Broker

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
) -> bool:
    """Commit the frames from `expected` on, and their faces, in one transaction with ingest's own state.

    `tracks` and `shots` are the clip's totals so far; `last` says that no more frames come. Returns False
    when another process has gone on from `expected`, or the clip is gone: the caller has to stop.
    """
    keys = broker.keys
    committed = broker.client.eval(
        lua.source("produce"),
        4,
        keys.clip(clip_id),
        keys.frames(clip_id),
        keys.faces,
        keys.completed,
        clip_id,
        secrets.token_hex(8),
        expected,
        expected + len(frames),
        state,
        tracks,
        shots,
        len(frames),
        int(last),
        encode(Frames(frames=frames)),
        *[encode(face) for face in faces],
    )
    return bool(committed)


def wait_for_room(broker: Broker, high: int, low: int) -> None:
    """Return at once while fewer than `high` faces are on the stream, else when fewer than `low` are."""
    if broker.client.xlen(broker.keys.faces) < high:
        return
    while broker.client.xlen(broker.keys.faces) >= max(low, 1):
        time.sleep(_WAIT_S)
