"""The work streams: take entries, commit their outcomes behind a fence, take over from the dead.

Each shard has a stream of queries and several of faces (`shared.queues.lanes`). Who works on a stage takes
from all of them, and commits to each what came from it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from redis.exceptions import ResponseError

from shared.queues import lanes, lua, shards, sources
from shared.queues.broker import Broker
from shared.queues.commands import StreamEntry
from shared.queues.keys import Keys
from shared.queues.sources import GROUP, Source, Stage

__all__ = ["GROUP", "Entry", "Outcome", "Stage"]

_CLUSTER_BLOCK_MS: Final = 50
"""How long a reader waits at one shard of a cluster, where no command can wait at several."""


@dataclass(frozen=True)
class Entry:
    """One entry of a work stream. `deliveries` counts how often it was handed out, this time included.

    `shard` and `lane` say which of its stage's streams it came from.
    """

    id: str
    clip: str
    data: bytes
    deliveries: int
    shard: int = 0
    lane: int = 0


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
    """Take up to `count` new entries, waiting for the first up to `block_ms` (keep it under 2000).

    Every shard gives as many as another, and every lane its share (`lanes.shares`), as far as they have them.
    """
    everywhere = sources.sources(broker, stage)
    entries: list[Entry] = []
    giving = everywhere if len(everywhere) > 1 else []
    while giving and len(entries) < count:
        turn = random.randrange(1 << 16)  # noqa: S311 - nothing secret
        shares = lanes.shares([source.lane for source in giving], count - len(entries), turn)
        asked = [one for one in zip(giving, shares, strict=True) if one[1]]
        given = {
            source: [_entry(source, raw, 1) for raw in reply]
            for source, reply in sources.read(broker, consumer, asked)
        }
        entries += [entry for some in given.values() for entry in some]
        if len(given) < len(asked):
            sources.make_groups(broker, everywhere)
            return entries
        giving = [one for one, share in zip(giving, shares, strict=True) if len(given.get(one, ())) == share]
    return entries or _await(broker, everywhere, consumer, count, block_ms)


def _await(
    broker: Broker, everywhere: Sequence[Source], consumer: str, count: int, block_ms: int
) -> list[Entry]:
    if broker.is_cluster:
        shard = random.choice(everywhere).shard  # noqa: S311 - nothing secret
        everywhere = [source for source in everywhere if source.shard == shard]
        block_ms = min(block_ms, _CLUSTER_BLOCK_MS)
    each = max(1, count // len(everywhere))
    replies = sources.wait(broker, consumer, everywhere, each, block_ms)
    return [_entry(source, raw, 1) for source, reply in replies for raw in reply]


def recover(broker: Broker, stage: Stage, consumer: str, count: int) -> list[Entry]:
    """Take again what this consumer had taken before it was killed."""
    return _claim(broker, stage, consumer, count, idle_ms=0, owner=consumer)


def reclaim(broker: Broker, stage: Stage, consumer: str, idle_s: float, count: int) -> list[Entry]:
    """Take over entries that another consumer has held for longer than `idle_s` seconds."""
    return _claim(broker, stage, consumer, count, idle_ms=int(idle_s * 1000), owner=None)


def commit(broker: Broker, stage: Stage, outcomes: Sequence[Outcome]) -> int:
    """Commit a batch, at once what came from one stream.

    Returns how many entries were still this consumer's; the others do nothing.
    """
    by_source: dict[tuple[int, int], list[Outcome]] = {}
    for outcome in outcomes:
        by_source.setdefault((outcome.entry.shard, outcome.entry.lane), []).append(outcome)
    return sum(
        _commit(broker, broker.keys.at(shard), stage, lane, some) for (shard, lane), some in by_source.items()
    )


def _commit(broker: Broker, keys: Keys, stage: Stage, lane: int, outcomes: Sequence[Outcome]) -> int:
    results = keys.readings if stage is Stage.FACES else keys.neighbours
    names = [sources.names(keys, stage)[lane], keys.queries, keys.dead, keys.completed, keys.counters]
    arguments: list[str | bytes] = [GROUP, *stage.value]
    for outcome in outcomes:
        names += [keys.clip(outcome.entry.clip), results(outcome.entry.clip)]
        arguments += [outcome.entry.id, outcome.entry.clip, outcome.result, outcome.forward, outcome.failure]
    return int(broker.client.eval(lua.source("commit"), len(names), *names, *arguments))


def purge(broker: Broker, stage: Stage, clip_id: str) -> None:
    """Remove a clip's entries; a consumer that holds one of them will commit nothing."""
    for stream in sources.names(shards.home_of(broker, clip_id).keys, stage):
        start = "-"
        while page := broker.client.xrange(stream, start, "+", count=1000):
            ids = [entry for entry, fields in page if fields.get(b"c") == clip_id.encode()]
            if ids:
                broker.client.xack(stream, GROUP, *ids)
                broker.client.xdel(stream, *ids)
            start = f"({page[-1][0].decode()}"


def depths(broker: Broker) -> dict[str, int]:
    """Return how many entries wait or are under way on each stage, and how many were given up."""
    dead = [keys.dead for keys in broker.keys.everywhere()]
    return {
        "faces": _length(broker, [source.name for source in sources.sources(broker, Stage.FACES)]),
        "queries": _length(broker, [source.name for source in sources.sources(broker, Stage.QUERIES)]),
        "dead": _length(broker, dead),
    }


def taken(broker: Broker) -> dict[str, int]:
    """Return how many entries of each stage a process has in hand; the others are unread."""
    return {"faces": _taken(broker, Stage.FACES), "queries": _taken(broker, Stage.QUERIES)}


def ages(broker: Broker) -> dict[str, float]:
    """Return how many seconds ago each stage's oldest entry was queued; 0 where there is none.

    Entries that are under way count: they leave the stream when they are committed.
    """
    seconds, microseconds = broker.client.time()
    now_s = seconds + microseconds / 1e6
    return {
        "faces": _age(broker, Stage.FACES, now_s),
        "queries": _age(broker, Stage.QUERIES, now_s),
    }


def _length(broker: Broker, streams: Sequence[str]) -> int:
    with broker.client.pipeline(transaction=False) as pipeline:
        for stream in streams:
            pipeline.xlen(stream)
        return sum(pipeline.execute())


def _taken(broker: Broker, stage: Stage) -> int:
    return sum(_pending(broker, source) for source in sources.sources(broker, stage))


def _pending(broker: Broker, source: Source) -> int:
    try:
        return int(broker.client.xpending(source.name, GROUP)["pending"])
    except ResponseError as error:
        if not sources.lacks_group(error):
            raise
        return 0  # the first process to take one makes the group


def _age(broker: Broker, stage: Stage, now_s: float) -> float:
    oldest = [broker.client.xrange(source.name, count=1) for source in sources.sources(broker, stage)]
    # The broker makes entry ids of its time in milliseconds and a number.
    queued_s = [int(page[0][0].split(b"-")[0]) / 1000 for page in oldest if page]
    return max(0.0, now_s - min(queued_s, default=now_s))


def _claim(
    broker: Broker, stage: Stage, consumer: str, count: int, idle_ms: int, owner: str | None
) -> list[Entry]:
    claimed: list[Entry] = []
    for source in sources.sources(broker, stage):
        if len(claimed) < count:
            claimed += _claim_from(broker, source, consumer, count - len(claimed), idle_ms, owner)
    return claimed


def _claim_from(
    broker: Broker, source: Source, consumer: str, count: int, idle_ms: int, owner: str | None
) -> list[Entry]:
    try:
        waiting = broker.client.xpending_range(
            source.name, GROUP, "-", "+", count, consumername=owner, idle=idle_ms or None
        )
    except ResponseError as error:
        if not sources.lacks_group(error):
            raise
        return []
    if not waiting:
        return []
    deliveries = {one["message_id"]: one["times_delivered"] + 1 for one in waiting}
    claimed = broker.client.xclaim(source.name, GROUP, consumer, idle_ms, list(deliveries))
    return [_entry(source, raw, deliveries[raw[0]]) for raw in claimed]


def _entry(source: Source, raw: StreamEntry, deliveries: int) -> Entry:
    entry, fields = raw
    clip = fields.get(b"c", b"").decode(errors="replace")
    return Entry(entry.decode(), clip, fields.get(b"m", b""), deliveries, source.shard, source.lane)
