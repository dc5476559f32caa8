"""The streams that a stage takes its entries from, in every shard."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from redis.exceptions import ResponseError

from shared.queues.broker import Broker
from shared.queues.commands import StreamEntry
from shared.queues.keys import Keys

GROUP: Final = "workers"


class Stage(Enum):
    """A work stream and what its outcomes count as in the clip's hash."""

    FACES = ("done", "failed")
    QUERIES = ("explained", "unexplained")


@dataclass(frozen=True)
class Source:
    """One stream: its name, the shard that it is in, and which lane of it."""

    name: str
    shard: int
    lane: int


def sources(broker: Broker, stage: Stage) -> list[Source]:
    """Return the streams of a stage in all shards."""
    return [
        Source(name, keys.shard or 0, lane)
        for keys in broker.keys.everywhere()
        for lane, name in enumerate(names(keys, stage))
    ]


def names(keys: Keys, stage: Stage) -> tuple[str, ...]:
    """Return the names of a stage's streams in one shard."""
    return keys.lanes if stage is Stage.FACES else (keys.queries,)


def read(
    broker: Broker, consumer: str, asked: Sequence[tuple[Source, int]]
) -> list[tuple[Source, list[StreamEntry]]]:
    """Return up to so many new entries of each source; one that has no group is left out."""
    with broker.client.pipeline(transaction=False) as pipeline:
        for source, count in asked:
            pipeline.xreadgroup(GROUP, consumer, {source.name: ">"}, count=count)
        replies = pipeline.execute(raise_on_error=False)
    found = []
    for (source, _), reply in zip(asked, replies, strict=True):
        if not isinstance(reply, Exception):
            found.append((source, _entries(source, reply)))
        elif not (isinstance(reply, ResponseError) and lacks_group(reply)):
            raise reply
    return found


def wait(
    broker: Broker, consumer: str, among: Sequence[Source], count: int, block_ms: int
) -> list[tuple[Source, list[StreamEntry]]]:
    """Return new entries, up to `count` of each source, as soon as one comes.

    All sources must be on one server, and in one shard where that is one of a cluster.
    """
    streams = {source.name: ">" for source in among}
    try:
        reply = broker.client.xreadgroup(GROUP, consumer, streams, count=count, block=block_ms)
    except ResponseError as error:
        if not lacks_group(error):
            raise
        make_groups(broker, among)
        return []
    return [(source, _entries(source, reply)) for source in among]


def lacks_group(error: ResponseError) -> bool:
    """Tell whether a command failed because a stream, or its group of consumers, is not there yet."""
    return str(error).startswith("NOGROUP")


def make_groups(broker: Broker, among: Sequence[Source]) -> None:
    """Make the group of consumers of each source that has none."""
    for source in among:
        try:
            broker.client.xgroup_create(source.name, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


def _entries(source: Source, reply: dict[bytes, list[StreamEntry]]) -> list[StreamEntry]:
    return reply.get(source.name.encode(), [])
