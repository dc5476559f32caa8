"""The work streams: take entries, commit their outcomes behind a fence, take over from the dead."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from redis.exceptions import ResponseError

from shared.queues import lua
from shared.queues.broker import Broker

GROUP: Final = "workers"


class Stage(Enum):
    """A work stream and what its outcomes count as in the clip's hash."""

    FACES = ("done", "failed")
    QUERIES = ("explained", "unexplained")


@dataclass(frozen=True)
class Entry:
    """One entry of a work stream. `deliveries` counts how often it was handed out, this time included."""

    id: str
    clip: str
    data: bytes
    deliveries: int


@dataclass(frozen=True)
class Outcome:
    """What became of an entry.

    `result` goes to the clip's own stream (none when empty), `forward` to the next stage; a `failure` sets
    the entry aside on the `dead` stream with this reason.
    """

    entry: Entry
    result: bytes = b""
    forward: bytes = b""
    failure: str = ""


def take(broker: Broker, stage: Stage, consumer: str, count: int, block_ms: int) -> list[Entry]:
    """Take up to `count` new entries, waiting for the first up to `block_ms` (keep it under 2000)."""
    stream = stream_of(broker, stage)
    try:
        reply = broker.client.xreadgroup(GROUP, consumer, {stream: ">"}, count=count, block=block_ms)
    except ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
        _create_group(broker, stage)
        return []
    return [_entry(raw, 1) for raw in reply.get(stream.encode(), [])]


def recover(broker: Broker, stage: Stage, consumer: str, count: int) -> list[Entry]:
    """Take again what this consumer had taken before it was killed."""
    return _claim(broker, stage, consumer, count, idle_ms=0, owner=consumer)


def reclaim(broker: Broker, stage: Stage, consumer: str, idle_s: float, count: int) -> list[Entry]:
    """Take over entries that another consumer has held for longer than `idle_s` seconds."""
    return _claim(broker, stage, consumer, count, idle_ms=int(idle_s * 1000), owner=None)


def commit(broker: Broker, stage: Stage, outcomes: Sequence[Outcome]) -> int:
    """Commit a batch at once. Returns how many entries were still this consumer's; the others do nothing."""
    if not outcomes:
        return 0
    keys = broker.keys
    results = keys.readings if stage is Stage.FACES else keys.neighbours
    names = [stream_of(broker, stage), keys.queries, keys.dead, keys.completed, keys.counters]
    arguments: list[str | bytes] = [GROUP, *stage.value]
    for outcome in outcomes:
        names += [keys.clip(outcome.entry.clip), results(outcome.entry.clip)]
        arguments += [outcome.entry.id, outcome.entry.clip, outcome.result, outcome.forward, outcome.failure]
    return int(broker.client.eval(lua.source("commit"), len(names), *names, *arguments))


def purge(broker: Broker, stage: Stage, clip_id: str) -> None:
    """Remove a clip's entries; a consumer that holds one of them will commit nothing."""
    stream, start = stream_of(broker, stage), "-"
    while page := broker.client.xrange(stream, start, "+", count=1000):
        ids = [entry for entry, fields in page if fields.get(b"c") == clip_id.encode()]
        if ids:
            broker.client.xack(stream, GROUP, *ids)
            broker.client.xdel(stream, *ids)
        start = f"({page[-1][0].decode()}"


def depths(broker: Broker) -> dict[str, int]:
    """Return how many entries wait or are under way on each stream, and how many were given up."""
    keys = broker.keys
    return {
        "faces": int(broker.client.xlen(keys.faces)),
        "queries": int(broker.client.xlen(keys.queries)),
        "dead": int(broker.client.xlen(keys.dead)),
    }


def taken(broker: Broker) -> dict[str, int]:
    """Return how many entries of each work stream a process has in hand; the others are unread."""
    return {"faces": _taken(broker, Stage.FACES), "queries": _taken(broker, Stage.QUERIES)}


def ages(broker: Broker) -> dict[str, float]:
    """Return how many seconds ago each work stream's oldest entry was queued; 0 where it is empty.

    Entries that are under way count: they leave the stream when they are committed.
    """
    seconds, microseconds = broker.client.time()
    now_s = seconds + microseconds / 1e6
    return {
        "faces": _age(broker, Stage.FACES, now_s),
        "queries": _age(broker, Stage.QUERIES, now_s),
    }


def _taken(broker: Broker, stage: Stage) -> int:
    try:
        return int(broker.client.xpending(stream_of(broker, stage), GROUP)["pending"])
    except ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
        return 0  # the first process to take one makes the group


def _age(broker: Broker, stage: Stage, now_s: float) -> float:
    oldest = broker.client.xrange(stream_of(broker, stage), count=1)
    # The broker makes entry ids of its time in milliseconds and a number.
    return max(0.0, now_s - int(oldest[0][0].split(b"-")[0]) / 1000) if oldest else 0.0


def stream_of(broker: Broker, stage: Stage) -> str:
    """Return the name of a stage's stream."""
    return broker.keys.faces if stage is Stage.FACES else broker.keys.queries


def _create_group(broker: Broker, stage: Stage) -> None:
    try:
        broker.client.xgroup_create(stream_of(broker, stage), GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def _claim(
    broker: Broker, stage: Stage, consumer: str, count: int, idle_ms: int, owner: str | None
) -> list[Entry]:
    stream = stream_of(broker, stage)
    try:
        waiting = broker.client.xpending_range(
            stream, GROUP, "-", "+", count, consumername=owner, idle=idle_ms or None
        )
    except ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
        _create_group(broker, stage)
        return []
    if not waiting:
        return []
    deliveries = {one["message_id"]: one["times_delivered"] + 1 for one in waiting}
    claimed = broker.client.xclaim(stream, GROUP, consumer, idle_ms, list(deliveries))
    return [_entry(raw, deliveries[raw[0]]) for raw in claimed]


def _entry(raw: tuple[bytes, dict[bytes, bytes]], deliveries: int) -> Entry:
    entry, fields = raw
    clip = fields.get(b"c", b"").decode(errors="replace")
    return Entry(entry.decode(), clip, fields.get(b"m", b""), deliveries)
