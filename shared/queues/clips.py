"""The clips: one hash each, holding the job as it was ordered and its progress."""

import time
from enum import StrEnum
from typing import Final

import msgspec

from shared.errors import MessageError
from shared.queues import lua, work
from shared.queues.broker import Broker


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
    created_s: float = 0.0
    started_s: float = 0.0
    finished_s: float = 0.0
    warnings: list[str] = msgspec.field(default_factory=list)


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
    """Return a clip, or None when the broker does not know it."""
    return _parse(broker.client.hgetall(broker.keys.clip(clip_id)))


def recent(broker: Broker, limit: int = 200) -> list[Clip]:
    """Return the clips that the broker knows, the newest first."""
    ids = [member.decode() for member in broker.client.zrevrange(broker.keys.clips, 0, limit - 1)]
    with broker.client.pipeline(transaction=False) as pipeline:
        for clip_id in ids:
            pipeline.hgetall(broker.keys.clip(clip_id))
        return [clip for clip in map(_parse, pipeline.execute()) if clip is not None]


def update(broker: Broker, clip_id: str, **fields: object) -> None:
    """Set fields of a clip, if it still exists."""
    broker.client.eval(
        "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('HSET', KEYS[1], unpack(ARGV)) end",
        1,
        broker.keys.clip(clip_id),
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
    broker.client.delete(*_streams(broker, clip_id))


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


def _parse(raw: dict[bytes, bytes]) -> Clip | None:
    if b"name" not in raw:
        return None
    values: dict[str, object] = {
        name.decode(): value.decode() for name, value in raw.items() if name != b"tracker"
    }
    warnings = values.pop("warnings", "[]")
    try:
        return msgspec.convert(values | {"warnings": msgspec.json.decode(str(warnings))}, Clip, strict=False)
    except msgspec.MsgspecError as error:
        raise MessageError(f"clip {values.get('id')} on the broker is damaged: {error}") from None
