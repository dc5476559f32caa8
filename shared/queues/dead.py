"""Dead letters: entries of the work streams that were given up, to be looked at, put back, or dropped."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import merge
from typing import Final

from shared.queues import lua, shards, sources
from shared.queues.broker import Broker
from shared.queues.sources import Stage

_PAGE: Final = 100


@dataclass(frozen=True)
class Letter:
    """A dead letter: its id, the stage it fell from (None: unknown), clip, reason, message.

    The id is that of its entry on the dead stream of a shard: `milliseconds-number`, and `-shard` behind it
    when that is not the first.
    """

    id: str
    stage: Stage | None
    clip: str
    error: str
    data: bytes


class Fate(StrEnum):
    """What became of a letter that was to be put back."""

    QUEUED = "queued"
    REOPENED = "reopened"
    """Back as well; its clip had come to its end, and its files will be written again."""
    ABSENT = "absent"
    FORGOTTEN = "forgotten"
    """It stays: the broker no longer knows the run of the clip that it belongs to."""
    FAILED = "failed"
    """It stays: its clip failed as a whole."""
    EXPIRED = "expired"
    """It stays: its clip is done, and what the files are made from has gone from the broker."""
    HOMELESS = "homeless"
    """It stays: it names no stage of this Reelmood."""

    @property
    def is_back(self) -> bool:
        """Tell whether the letter is on its stage again."""
        return self in (Fate.QUEUED, Fate.REOPENED)


def letters(broker: Broker, clip_id: str | None = None) -> Iterator[Letter]:
    """Yield the dead letters, of one clip or of all, the oldest first."""
    homes = shards.every(broker) if broker.keys.shard is None else [broker]
    for letter in merge(*map(_in_one_shard, homes), key=lambda letter: _place(letter.id)):
        if clip_id in (None, letter.clip):
            yield letter


def find(broker: Broker, letter_id: str) -> Letter | None:
    """Return a dead letter, or None when there is none of this id."""
    if not is_letter_id(letter_id):
        return None
    home, entry = _address(broker, letter_id)
    page = broker.client.xrange(home.keys.dead, entry, entry)
    return _letter(home, *page[0]) if page else None


def retry(broker: Broker, letter: Letter) -> Fate:
    """Put a letter back on its stage, with its clip's counters as if it had not failed, in one step.

    Its deliveries are counted from one again. A clip that is done takes it back as long as its streams are on
    the broker; they then stay until the clip is finished a second time.
    """
    if letter.stage is None:
        return Fate.HOMELESS
    (home, entry), clip = _address(broker, letter.id), letter.clip
    keys = home.keys
    names = [
        keys.dead,
        sources.names(keys, letter.stage)[0],
        keys.clip(clip),
        keys.completed,
        keys.frames(clip),
        keys.readings(clip),
        keys.neighbours(clip),
    ]
    _, failed_field = letter.stage.value
    fate: bytes = broker.client.eval(lua.source("retry"), len(names), *names, entry, clip, failed_field)
    return Fate(fate.decode())


def drop(broker: Broker, letter: Letter) -> bool:
    """Delete a letter; its face stays counted as failed. Returns False when it was gone already."""
    home, entry = _address(broker, letter.id)
    return broker.client.xdel(home.keys.dead, entry.encode()) == 1


def purge(broker: Broker, clip_id: str) -> None:
    """Delete all letters of a clip."""
    for letter in letters(broker, clip_id):
        drop(broker, letter)


def is_letter_id(text: str) -> bool:
    """Tell whether a text is the id of a letter."""
    parts = text.split("-")
    return len(parts) in (2, 3) and all(
        part.isascii() and part.isdigit() and len(part) < 20 for part in parts
    )


def _in_one_shard(home: Broker) -> Iterator[Letter]:
    start = "-"
    while page := home.client.xrange(home.keys.dead, start, "+", count=_PAGE):
        yield from (_letter(home, *raw) for raw in page)
        start = f"({page[-1][0].decode()}"


def _place(letter_id: str) -> tuple[int, ...]:
    return tuple(map(int, letter_id.split("-")))


def _address(broker: Broker, letter_id: str) -> tuple[Broker, str]:
    """Return the shard that a letter is in, and the id of its entry there."""
    entry, shard = letter_id, 0
    if letter_id.count("-") > 1:
        entry, _, last = letter_id.rpartition("-")
        shard = int(last)
    return replace(broker, keys=broker.keys.at(shard)), entry


def _letter(home: Broker, entry: bytes, fields: dict[bytes, bytes]) -> Letter:
    stages = {name.encode(): stage for stage in Stage for name in sources.names(home.keys, stage)}
    shard = home.keys.shard
    return Letter(
        id=f"{entry.decode()}-{shard}" if shard else entry.decode(),
        stage=stages.get(fields.get(b"stage", b"")),
        clip=fields.get(b"c", b"").decode(errors="replace"),
        error=fields.get(b"error", b"").decode(errors="replace"),
        data=fields.get(b"m", b""),
    )
