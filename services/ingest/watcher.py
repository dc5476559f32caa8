"""Watches the incoming folder and orders the work that its clips need."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.ingest.identity import clip_of
from services.ingest.incoming import Look, Sighting, look
from services.ingest.oversight import Oversight, oversee
from services.ingest.retention import sweep
from services.ingest.stored import hand_up_dropped, look_in_store
from shared.errors import ModelError
from shared.folders import move_clip, printable
from shared.logs import about
from shared.poster.active import ACTIVE, active
from shared.pulse import Pulse
from shared.queues import clips, jobs, turns
from shared.queues.broker import LOST, Broker
from shared.queues.clips import Clip, State
from shared.queues.tasks import Task
from shared.settings import Settings
from shared.storage.clips import digest, exists, move, sizes
from shared.storage.places import place
from shared.storage.results import is_published

logger = logging.getLogger(__name__)

_BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0)
_SWEEP_EVERY_S: Final = 3600.0
_PAGE: Final = 500
_TAKING_S: Final = 1.0
_UNDER_WAY: Final = (State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class Taken:
    """A file as it was taken, and the id of its clip, if it could be read."""

    sighting: Sighting
    clip: str | None


@dataclass
class Memory:
    """What the watcher remembers from one round to the next."""

    files: Mapping[Path, Sighting] = field(default_factory=dict)
    dropped: Mapping[Path, Sighting] = field(default_factory=dict)
    """With a store: the files in this host's own folder, on their way there."""
    looked_s: float | None = None
    """With a store: when it was looked at."""
    taken: dict[Path, Taken] = field(default_factory=dict)
    """Files that need nothing more as long as they stay as they are and the broker knows their clips."""
    models: dict[Path, str] | None = None
    """Under which model the clip of each file was ordered; None until the broker was asked.

    A promotion in the middle of its analysis does not make it another clip.
    """
    checked: int = 0
    """How many of them were asked the broker about in this turn."""
    oversight: Oversight = field(default_factory=Oversight)
    links: frozenset[Path] = frozenset()
    swept_s: float | None = None
    """When what was kept long enough was last looked for."""
    pulse: Pulse = field(default_factory=Pulse)
    """That of the loop which goes the rounds."""


def watch(settings: Settings, broker: Broker, stop: threading.Event, pulse: Pulse) -> None:
    """Go the rounds until `stop` is set. While the broker or the folder is away, wait for it."""
    memory, failures = Memory(pulse=pulse), 0
    while not stop.is_set():
        try:
            settings.incoming.mkdir(parents=True, exist_ok=True)
            more = go_round(settings, broker, memory, time.monotonic())
            _sweep(settings, broker, memory, time.monotonic())
        except (*LOST, OSError) as error:
            if not failures:
                logger.warning("the watcher waits: %s", error)
            pulse.beat(ready=False)
            stop.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
            failures += 1
            continue
        if failures:
            logger.info("the watcher goes on")
        failures = 0
        pulse.beat(ready=True)
        if not more:
            stop.wait(settings.poll_s)


def go_round(settings: Settings, broker: Broker, memory: Memory, now_s: float) -> bool:
    """See to the clips under way, and take those that have arrived, or that the broker has forgotten.

    A file has arrived when it has not changed for `settings.stable_s` on the clock of `now_s`. Files are
    taken for about a second, so that what is under way does not wait for thousands of new ones, and only
    while fewer than `settings.clips_high_water` clips are queued. Returns whether more can be taken at once.
    """
    oversee(settings, broker, memory.oversight, now_s)
    seen = _see(settings, memory, now_s)
    for link in sorted(seen.links - memory.links):
        logger.warning("%s is a symbolic link, left alone", _name(link, settings))
    memory.files, memory.links = seen.files, seen.links
    memory.taken = {
        path: taken for path, taken in memory.taken.items() if seen.files.get(path) == taken.sighting
    }
    if memory.models is None:
        memory.models = _models_of(settings, broker)
    memory.models = {path: model for path, model in memory.models.items() if path in seen.files}
    _drop_forgotten(broker, memory)
    arrived = [
        (path, sighting)
        for path, sighting in seen.files.items()
        if path not in memory.taken and now_s - sighting.since_s >= settings.stable_s
    ]
    room = max(0, settings.clips_high_water - jobs.lengths(broker)[Task.INGEST.queue])
    until_s = time.monotonic() + _TAKING_S
    for number, (path, sighting) in enumerate(arrived[:room], start=1):
        using = _with_model(settings, memory.models, path)
        memory.taken[path] = Taken(sighting, _take(using, broker, path, sighting))
        memory.pulse.beat(ready=True)
        if time.monotonic() >= until_s:
            return number < min(room, len(arrived))
    return False


def _see(settings: Settings, memory: Memory, now_s: float) -> Look:
    """Look at the folder; with a store, hand up what lies in it, and look there when that is due."""
    if not settings.store:
        return look(settings.incoming, memory.files, now_s)
    memory.dropped, links = hand_up_dropped(settings, memory.dropped, now_s)
    if memory.looked_s is not None and now_s - memory.looked_s < settings.store_poll_s:
        return Look(memory.files, links)
    memory.looked_s = now_s
    return Look(look_in_store(settings, memory.files, now_s), links)


def _models_of(settings: Settings, broker: Broker) -> dict[Path, str]:
    incoming = settings.incoming.absolute()
    under_way = [
        (place(settings, clip.path), clip.model)
        for clip in clips.recent(broker, 0)
        if clip.state in (*_UNDER_WAY, State.FINISHING)
    ]
    return {
        settings.incoming / path.relative_to(incoming): model
        for path, model in under_way
        if path.is_relative_to(incoming)
    }


def _with_model(settings: Settings, models: dict[Path, str], path: Path) -> Settings:
    """Return settings that name the model under which a file is ordered; `models` as in `Memory`."""
    if settings.model != ACTIVE:
        return settings
    try:
        model = models.setdefault(path, active(settings.models).name)
    except ModelError:
        return settings  # the workers say what is wrong
    return settings.model_copy(update={"model": model})


def _sweep(settings: Settings, broker: Broker, memory: Memory, now_s: float) -> None:
    if settings.retention_days and (memory.swept_s is None or now_s - memory.swept_s >= _SWEEP_EVERY_S):
        sweep(settings, broker, time.time())
        memory.swept_s = now_s


def _drop_forgotten(broker: Broker, memory: Memory) -> None:
    """Have the files of clips that the broker does not know any more taken again, a page of them at a time.

    A broker that has lost its data makes every clip start again.
    """
    paths = [path for path, taken in memory.taken.items() if taken.clip is not None]
    start = memory.checked if memory.checked < len(paths) else 0
    memory.checked = start + _PAGE
    page = {path: memory.taken[path].clip or "" for path in paths[start : start + _PAGE]}
    known = clips.known(broker, list(page.values()))
    for path, clip in page.items():
        if clip not in known:
            del memory.taken[path]


def _take(settings: Settings, broker: Broker, path: Path, sighting: Sighting) -> str | None:
    """Do what a file needs, and return the id of its clip; None when it could not be read."""
    name = _name(path, settings)
    try:
        if not _encodable(path):
            path = move_clip(path, settings.incoming, name)
            name = _name(path, settings)
        content = digest(settings, path)
        if sizes(settings, path) != (sighting.size, sighting.modified_ns):
            return None
    except OSError as error:
        logger.warning("%s cannot be read: %s", name, (error.strerror or str(error)).lower())
        return None
    clip = clip_of(path, content, settings, name=name)
    key = clip.id
    known = clips.get_or_forget(broker, key)
    with about(key):
        if known is None or known.state is State.FAILED or _is_lost(settings, known):
            _order(broker, clip, sighting.size, again=known is not None)
        elif known.state in _UNDER_WAY and (
            known.path == clip.path or not exists(settings, place(settings, known.path))
        ):
            clips.update(broker, key, path=clip.path, name=clip.name)
            jobs.enqueue(broker, Task.INGEST, key)
        elif known.path != clip.path or known.state is State.DONE:
            _put_away(settings, path, name, known)
    return key


def _order(broker: Broker, clip: Clip, size: int, *, again: bool) -> None:
    if again:
        clips.forget(broker, clip.id)
    if clips.create(broker, clip):
        turns.expect(broker, clip.id, time.time() + turns.guessed_s(size))
        jobs.enqueue(broker, Task.INGEST, clip.id)
        logger.info("%s queued%s", clip.name, " again" if again else "")


def _put_away(settings: Settings, path: Path, name: str, known: Clip) -> None:
    logger.info("%s is the same clip as %s, which is %s", name, known.name, known.state.value)
    try:
        move(settings, path, settings.done, name, content=known.content)
    except OSError as error:
        logger.warning("%s stays where it is: %s", name, (error.strerror or str(error)).lower())


def _is_lost(settings: Settings, clip: Clip) -> bool:
    """Tell whether a clip is done and its files have gone since."""
    return clip.state is State.DONE and not (clip.out and is_published(settings, place(settings, clip.out)))


def _name(path: Path, settings: Settings) -> str:
    return printable(path.relative_to(settings.incoming).as_posix())


def _encodable(path: Path) -> bool:
    """Tell whether a path is valid Unicode, as all that is stored and shown has to be."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        return False
    return True
