"""Dead letters: entries of the work streams that were given up, to be looked at, put back, or dropped."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.queues import lua
from shared.queues.broker import Broker
from shared.queues.work import Stage, stream_of

_PAGE: Final = 100


@dataclass(frozen=True)
class Letter:
    """A dead letter: id on the dead stream, stage it fell from (None: unknown), clip, reason, message."""

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
    start = "-"
    while page := broker.client.xrange(broker.keys.dead, start, "+", count=_PAGE):
        for letter in (_letter(broker, *raw) for raw in page):
            if clip_id in (None, letter.clip):
                yield letter
        start = f"({page[-1][0].decode()}"


def find(broker: Broker, letter_id: str) -> Letter | None:
    """Return a dead letter, or None when there is none of this id (`milliseconds-number`)."""
    if not is_letter_id(letter_id):
        return None
    page = broker.client.xrange(broker.keys.dead, letter_id, letter_id)
    return _letter(broker, *page[0]) if page else None


def retry(broker: Broker, letter: Letter) -> Fate:
    """Put a letter back on its stage, with its clip's counters as if it had not failed, in one step.

    Its deliveries are counted from one again. A clip that is done takes it back as long as its streams are on
    the broker; they then stay until the clip is finished a second time.
    """
    if letter.stage is None:
        return Fate.HOMELESS
    keys, clip = broker.keys, letter.clip
    names = [
        keys.dead,
        stream_of(broker, letter.stage),
        keys.clip(clip),
        keys.completed,
        keys.frames(clip),
        keys.readings(clip),
        keys.neighbours(clip),
    ]
    _, failed_field = letter.stage.value
    fate: bytes = broker.client.eval(lua.source("retry"), len(names), *names, letter.id, clip, failed_field)
    return Fate(fate.decode())


def drop(broker: Broker, letter: Letter) -> bool:
    """Delete a letter; its face stays counted as failed. Returns False when it was gone already."""
    return broker.client.xdel(broker.keys.dead, letter.id.encode()) == 1


def purge(broker: Broker, clip_id: str) -> None:
    """Delete all letters of a clip."""
    for letter in letters(broker, clip_id):
        drop(broker, letter)


def is_letter_id(text: str) -> bool:
    """Tell whether a text is the id of a stream entry, `milliseconds-number`."""
    parts = text.split("-")
    return len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts)


def _letter(broker: Broker, letter_id: bytes, fields: dict[bytes, bytes]) -> Letter:
    stages = {stream_of(broker, stage).encode(): stage for stage in Stage}
    return Letter(
        id=letter_id.decode(),
        stage=stages.get(fields.get(b"stage", b"")),
        clip=fields.get(b"c", b"").decode(errors="replace"),
        error=fields.get(b"error", b"").decode(errors="replace"),
        data=fields.get(b"m", b""),
    )
