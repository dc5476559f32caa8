"""Dead letters as people read them: what each was, why it was given up, and what became of it."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.errors import MessageError
from shared.folders import printable
from shared.messages import Face, Place, Query, decode
from shared.queues import clips, dead
from shared.queues.broker import Broker
from shared.queues.dead import Fate, Letter
from shared.queues.work import Stage

FATES: Final = {
    Fate.QUEUED: "put back",
    Fate.REOPENED: "put back; its clip had come to its end, and its files will be written again",
    Fate.ABSENT: "not among the dead letters (any more)",
    Fate.FORGOTTEN: "stays: the run of the clip that it belongs to is no longer on the broker",
    Fate.FAILED: "stays: its clip failed as a whole; analyse the clip again",
    Fate.EXPIRED: "stays: its clip is done and its streams have expired; analyse the clip again",
    Fate.HOMELESS: "stays: it names no stage of this Reelmood",
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter. What its message does not say is None; `when` is ISO 8601, `name` that of the clip."""

    id: str
    when: str | None
    stage: str | None
    clip: str
    name: str
    error: str
    bytes: int
    frame: int | None = None
    time_s: float | None = None
    face: int | None = None
    track: int | None = None


def describe(broker: Broker, letter: Letter) -> Row:
    """Return what can be said of a letter."""
    row = Row(
        id=letter.id,
        when=_when(letter.id),
        stage=letter.stage.name.lower() if letter.stage else None,
        clip=printable(letter.clip),
        name=_name(broker, letter.clip),
        error=printable(letter.error),
        bytes=len(letter.data),
    )
    place = _place(letter)
    if place is None:
        return row
    return msgspec.structs.replace(
        row, frame=place.frame, time_s=place.time_s, face=place.face, track=place.track
    )


def put_back(broker: Broker, letter: Letter) -> tuple[bool, str]:
    """Put a letter back on its stage; return whether it is there again, and what became of it."""
    fate = dead.retry(broker, letter)
    return fate.is_back, FATES[fate]


def delete(broker: Broker, letter: Letter) -> tuple[bool, str]:
    """Delete a letter; return whether it was there, and what became of it."""
    return (True, "dropped") if dead.drop(broker, letter) else (False, FATES[Fate.ABSENT])


def _when(letter_id: str) -> str | None:
    """Return the time that the id of a stream entry begins with; None for one that was made up."""
    try:
        time_s = int(letter_id.partition("-")[0]) / 1000
        return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None


def _place(letter: Letter) -> Place | None:
    try:
        if letter.stage is Stage.FACES:
            return decode(Face, letter.data).place
        if letter.stage is Stage.QUERIES:
            return decode(Query, letter.data).place
    except MessageError:
        pass
    return None


def _name(broker: Broker, clip_id: str) -> str:
    try:
        clip = clips.get(broker, clip_id)
    except MessageError:
        clip = None
    return clip.name if clip else printable(clip_id)
