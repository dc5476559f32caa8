"""The clips: one hash each, holding the job as it was ordered and its progress."""

import logging
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import Final

import msgspec

from shared.errors import MessageError
from shared.queues import counters, dead, lua, shards, work
from shared.queues.broker import Broker
from shared.queues.shards import home_of, homes_of, keys_of

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
    live: bool = False
    """True: it comes from a live source, whose process ingests it; there is a file only if it is recorded."""

    state: State = State.QUEUED
    error: str = ""
    out: str = ""
    """Folder of the finished files."""
    width: int = 0
    height: int = 0
    frames_expected: int = 0
    """Frames that the container promises; 0 when it does not say."""
    lane: int = 0
    """Which of the streams of faces its faces go to (`shared.queues.lanes`)."""
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
    stopping: bool = False
    """True: a live source is asked to end."""
    dropped: dict[str, int] = msgspec.field(default_factory=dict)
    """Frames of a live source that were not analysed, by reason."""
    latency_s: float = 0.0
    """Of a live source: seconds from its camera to a result, as last measured."""
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
    shards.remember(broker)
    keys = home_of(broker, clip.id).keys
    was_made = broker.client.eval(
        lua.source("create"),
        2,
        keys.clip(clip.id),
        keys.clips,
        clip.id,
        created.created_s,
        *_flat(fields),
    )
    return bool(was_made)


def get(broker: Broker, clip_id: str) -> Clip | None:
    """Return a clip, or None when the broker does not know it. Raises MessageError when it is damaged."""
    return _parse(clip_id, broker.client.hgetall(keys_of(broker, clip_id).clip(clip_id)))


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
    return _read(_listed(broker, 0, limit - 1, newest=True)[: limit or None])


def those(broker: Broker, ids: Sequence[str]) -> list[Clip]:
    """Return those of the clips `ids` that the broker knows, in this order; damaged ones are left out."""
    return _read(list(zip(homes_of(broker, ids), ids, strict=True)))


def page(broker: Broker, start: int, count: int) -> list[Clip]:
    """Return `count` of the clips of each shard, by age, from its `start`-th oldest on.

    Damaged ones are forgotten, to start anew.
    """
    listed = _listed(broker, start, start + count - 1)
    found = _read(listed)
    if len(found) < len(listed):
        whole = {clip.id for clip in found}
        for home, clip_id in listed:
            if clip_id not in whole:
                get_or_forget(home, clip_id)
    return found


def known(broker: Broker, ids: Sequence[str]) -> set[str]:
    """Return those of the clips `ids` that the broker knows."""
    homes = homes_of(broker, ids)
    with broker.client.pipeline(transaction=False) as pipeline:
        for home, clip_id in zip(homes, ids, strict=True):
            pipeline.exists(home.keys.clip(clip_id))
        return {clip_id for clip_id, there in zip(ids, pipeline.execute(), strict=True) if there}


def count_crash(broker: Broker, clip_id: str) -> int:
    """Count a crash of a clip's job, and return how many there were since the clip last got on."""
    return int(broker.client.eval(lua.source("crash"), 1, keys_of(broker, clip_id).clip(clip_id)))


def update(
    broker: Broker, clip_id: str, counts: Mapping[str, int] | None = None, /, **fields: object
) -> None:
    """Set fields of a clip, if it still exists.

    When its state changes, that and `counts` are added to the totals over all clips (`counters`).
    """
    keys = keys_of(broker, clip_id)
    broker.client.eval(
        lua.source("update"),
        2,
        keys.clip(clip_id),
        keys.counters,
        counters.encode(counts),
        *_flat(_fields(fields)),
    )


def expire(broker: Broker, clip_id: str, keep_s: int) -> None:
    """Let the streams of a finished clip go after `keep_s` seconds; its hash stays."""
    for key in _streams(home_of(broker, clip_id), clip_id):
        broker.client.expire(key, keep_s)


def forget(broker: Broker, clip_id: str) -> None:
    """Remove every trace of a clip from the broker, faces that still wait included."""
    home = home_of(broker, clip_id)
    broker.client.delete(home.keys.clip(clip_id))
    broker.client.zrem(home.keys.clips, clip_id)
    broker.client.srem(home.keys.completed, clip_id)
    for stage in work.Stage:
        work.purge(home, stage, clip_id)
    dead.purge(home, clip_id)
    broker.client.delete(*_streams(home, clip_id), home.keys.previews(clip_id))


def trim(broker: Broker, keep: int) -> int:
    """Let go of the oldest clips that have ended while the broker knows more than `keep`; return how many.

    Files and results stay. A page of them goes at a time.
    """
    excess = sum(int(broker.client.zcard(keys.clips)) for keys in broker.keys.everywhere()) - keep
    oldest = _listed(broker, 0, min(excess, _TRIMMED) - 1)[:excess] if excess > 0 else []
    ended = [clip.id for clip in _read(oldest) if clip.state in _ENDED]
    for home, clip_id in oldest:
        if clip_id in ended:
            broker.client.delete(home.keys.clip(clip_id), *_streams(home, clip_id))
            broker.client.zrem(home.keys.clips, clip_id)
    return len(ended)


def _listed(broker: Broker, first: int, last: int, *, newest: bool = False) -> list[tuple[Broker, str]]:
    """Return the clips from `first` to `last` of each shard's list, by age: with their homes."""
    homes = shards.every(broker)
    with broker.client.pipeline(transaction=False) as pipeline:
        for home in homes:
            pipeline.zrange(home.keys.clips, first, last, desc=newest, withscores=True)
        lists = pipeline.execute()
    rows = [(score, raw, home) for home, rows in zip(homes, lists, strict=True) for raw, score in rows]
    rows.sort(key=itemgetter(0, 1), reverse=newest)
    return [(home, raw.decode(errors="replace")) for _, raw, home in rows]


def _read(listed: Sequence[tuple[Broker, str]]) -> list[Clip]:
    if not listed:
        return []
    with listed[0][0].client.pipeline(transaction=False) as pipeline:
        for home, name in listed:
            pipeline.hgetall(home.keys.clip(name))
        found = list(zip((name for _, name in listed), pipeline.execute(), strict=True))
    return [clip for clip in (_parse_or_none(name, raw) for name, raw in found) if clip is not None]


def _streams(home: Broker, clip_id: str) -> list[str]:
    keys = home.keys
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
        nested = {
            name: msgspec.json.decode(str(values.pop(name)))
            for name in ("warnings", "dropped")
            if name in values
        }
        return msgspec.convert(values | nested, Clip, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"clip {clip_id} on the broker is damaged: {error}") from None
