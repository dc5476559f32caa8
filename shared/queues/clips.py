"""The clips: one hash each, holding the job as it was ordered and its progress."""

import logging
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from shared.errors import MessageError
from shared.queues import counters, dead, lua, work
from shared.queues.broker import Broker

logger = logging.getLogger(__name__)


class State(StrEnum):
    """Where a clip stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHING = "finishing"
    DONE = "done"
    FAILED = "failed"


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """A clip's job and progress. Times are Unix seconds, 0 while they have not come."""

    id: str
    name: str
    """Path below the incoming folder, as people see it."""
    path: str
    """Absolute path of the file."""
    results: str
    """Folder that gets the folder of this clip's files."""
    model: str
    annotate: bool = False
    blur: bool = False
    """True: no picture of a face that can be recognised goes into the results."""
    content: str = ""
    """Digest of the file (`shared.folders.content_digest`); empty where it is no file."""
    keep_source: bool = False
    """True: the file stays where it is (`analyze`)."""

    state: State = State.QUEUED
    error: str = ""
    out: str = ""
    """Folder of the finished files."""
    width: int = 0
    height: int = 0
    frames_expected: int = 0
    """Frames that the container promises; 0 when it does not say."""
    frames: int = 0
    faces: int = 0
    done: int = 0
    failed: int = 0
    explained: int = 0
    unexplained: int = 0
    pending: int = 1
    """What is still under way: ingest itself counts as one."""
    tracks: int = 0
    shots: int = 0
    late: int = 0
    """Outcomes that came after the clip had come to its end, as of dead letters that were put back."""
    written: int = 0
    """How many of them its files have seen."""
    ingested: bool = False
    """True: every frame is decoded and committed."""
    held: str = ""
    """Why the files of a clip whose every face is done cannot be written yet."""
    holds: int = 0
    """How often that was tried in vain."""
    retry_s: float = 0.0
    """When it is tried again."""
    created_s: float = 0.0
    started_s: float = 0.0
    finished_s: float = 0.0
    warnings: list[str] = msgspec.field(default_factory=list)


_ENDED: Final = (State.DONE, State.FAILED)
_TRIMMED: Final = 1000
_COUNTERS: Final = {"position": "0", "tracker": "", "ingested": "0", "commit": ""}


def create(broker: Broker, clip: Clip) -> bool:
    """Register a clip. Returns False, and changes nothing, when its id exists and has not failed."""
    old = get(broker, clip.id)
    if old is not None:
        if old.state is not State.FAILED:
            return False
        forget(broker, clip.id)
    created = msgspec.structs.replace(clip, created_s=time.time())
    fields = _fields(msgspec.structs.asdict(created)) | _COUNTERS
    was_made = broker.client.eval(
        lua.source("create"),
        2,
        broker.keys.clip(clip.id),
        broker.keys.clips,
        clip.id,
        created.created_s,
        *_flat(fields),
    )
    return bool(was_made)


def get(broker: Broker, clip_id: str) -> Clip | None:
    """Return a clip, or None when the broker does not know it. Raises MessageError when it is damaged."""
    return _parse(clip_id, broker.client.hgetall(broker.keys.clip(clip_id)))


def get_or_forget(broker: Broker, clip_id: str) -> Clip | None:
    """Return a clip, or None when the broker does not know it; a damaged one is forgotten, to start anew."""
    try:
        return get(broker, clip_id)
    except MessageError as error:
        logger.warning("%s, it is forgotten", error)
        forget(broker, clip_id)
        return None


def recent(broker: Broker, limit: int = 200) -> list[Clip]:
    """Return the clips that the broker knows, the newest first; all of them with a limit of 0.

    Damaged ones are left out.
    """
    return _read(broker, broker.client.zrevrange(broker.keys.clips, 0, limit - 1))


def those(broker: Broker, ids: Sequence[str]) -> list[Clip]:
    """Return those of the clips `ids` that the broker knows, in this order; damaged ones are left out."""
    return _read(broker, [clip_id.encode() for clip_id in ids])


def page(broker: Broker, start: int, count: int) -> list[Clip]:
    """Return `count` of the clips that the broker knows, by age, from the `start`-th oldest on.

    Damaged ones are forgotten, to start anew.
    """
    ids = broker.client.zrange(broker.keys.clips, start, start + count - 1)
    found = _read(broker, ids)
    if len(found) < len(ids):
        for clip_id in {raw.decode(errors="replace") for raw in ids} - {clip.id for clip in found}:
            get_or_forget(broker, clip_id)
    return found


def known(broker: Broker, ids: Sequence[str]) -> set[str]:
    """Return those of the clips `ids` that the broker knows."""
    with broker.client.pipeline(transaction=False) as pipeline:
        for clip_id in ids:
            pipeline.exists(broker.keys.clip(clip_id))
        return {clip_id for clip_id, there in zip(ids, pipeline.execute(), strict=True) if there}


def count_crash(broker: Broker, clip_id: str) -> int:
    """Count a crash of a clip's job, and return how many there were since the clip last got on."""
    return int(broker.client.eval(lua.source("crash"), 1, broker.keys.clip(clip_id)))


def update(
    broker: Broker, clip_id: str, counts: Mapping[str, int] | None = None, /, **fields: object
) -> None:
    """Set fields of a clip, if it still exists.

    When its state changes, that and `counts` are added to the totals over all clips (`counters`).
    """
    broker.client.eval(
        lua.source("update"),
        2,
        broker.keys.clip(clip_id),
        broker.keys.counters,
        counters.encode(counts),
        *_flat(_fields(fields)),
    )


def expire(broker: Broker, clip_id: str, keep_s: int) -> None:
    """Let the streams of a finished clip go after `keep_s` seconds; its hash stays."""
    for key in _streams(broker, clip_id):
        broker.client.expire(key, keep_s)


def forget(broker: Broker, clip_id: str) -> None:
    """Remove every trace of a clip from the broker, faces that still wait included."""
    broker.client.delete(broker.keys.clip(clip_id))
    broker.client.zrem(broker.keys.clips, clip_id)
    broker.client.srem(broker.keys.completed, clip_id)
    for stage in work.Stage:
        work.purge(broker, stage, clip_id)
    dead.purge(broker, clip_id)
    broker.client.delete(*_streams(broker, clip_id))


def trim(broker: Broker, keep: int) -> int:
    """Let go of the oldest clips that have ended while the broker knows more than `keep`; return how many.

    Files and results stay. A page of them goes at a time.
    """
    excess = int(broker.client.zcard(broker.keys.clips)) - keep
    oldest = page(broker, 0, min(excess, _TRIMMED)) if excess > 0 else []
    ended = [clip for clip in oldest if clip.state in _ENDED]
    for clip in ended:
        broker.client.delete(broker.keys.clip(clip.id), *_streams(broker, clip.id))
        broker.client.zrem(broker.keys.clips, clip.id)
    return len(ended)


def _read(broker: Broker, ids: Sequence[bytes]) -> list[Clip]:
    with broker.client.pipeline(transaction=False) as pipeline:
        names = [clip_id.decode(errors="replace") for clip_id in ids]
        for name in names:
            pipeline.hgetall(broker.keys.clip(name))
        found = list(zip(names, pipeline.execute(), strict=True))
    return [clip for clip in (_parse_or_none(name, raw) for name, raw in found) if clip is not None]


def _streams(broker: Broker, clip_id: str) -> list[str]:
    keys = broker.keys
    return [keys.frames(clip_id), keys.readings(clip_id), keys.neighbours(clip_id)]


def _fields(fields: dict[str, object]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in fields.items()
    }


def _flat(fields: dict[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]


def _parse_or_none(clip_id: str, raw: dict[bytes, bytes]) -> Clip | None:
    try:
        return _parse(clip_id, raw)
    except MessageError:
        return None


def _parse(clip_id: str, raw: dict[bytes, bytes]) -> Clip | None:
    if not raw:
        return None
    try:
        values: dict[str, object] = {
            name.decode(): value.decode() for name, value in raw.items() if name != b"tracker"
        }
        warnings = msgspec.json.decode(str(values.pop("warnings", "[]")))
        return msgspec.convert(values | {"warnings": warnings}, Clip, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"clip {clip_id} on the broker is damaged: {error}") from None
