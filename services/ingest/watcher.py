"""Watches the incoming folder and orders the work that its clips need."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.ingest.failures import give_up
from services.ingest.identity import clip_id
from services.ingest.incoming import Sighting, look
from shared.folders import move_clip, printable
from shared.queues import clips, jobs
from shared.queues.broker import LOST, Broker
from shared.queues.clips import Clip, State
from shared.queues.jobs import Task
from shared.settings import Settings

logger = logging.getLogger(__name__)

_BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0)
_UNDER_WAY: Final = (State.QUEUED, State.RUNNING)


@dataclass
class Memory:
    """What the watcher remembers from one round to the next."""

    files: Mapping[Path, Sighting] = field(default_factory=dict)
    taken: dict[Path, Sighting] = field(default_factory=dict)
    """Files that need nothing more as long as they stay as they are."""
    links: frozenset[Path] = frozenset()


def watch(settings: Settings, broker: Broker, stop: threading.Event) -> None:
    """Go the rounds until `stop` is set. While the broker or the folder is away, wait for it."""
    memory, failures = Memory(), 0
    while not stop.is_set():
        try:
            settings.incoming.mkdir(parents=True, exist_ok=True)
            go_round(settings, broker, memory, time.monotonic())
        except (*LOST, OSError) as error:
            if not failures:
                logger.warning("the watcher waits: %s", error)
            stop.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
            failures += 1
            continue
        if failures:
            logger.info("the watcher goes on")
        failures = 0
        stop.wait(settings.poll_s)


def go_round(settings: Settings, broker: Broker, memory: Memory, now_s: float) -> None:
    """Order the files of clips that are done, set aside those that crash, and take clips that have arrived.

    A file has arrived when it has not changed for `settings.stable_s` on the clock of `now_s`.
    """
    jobs.dispatch_finished(broker)
    for key, reason in jobs.take_failed(broker):
        clip = clips.get(broker, key)
        if clip is not None and clip.state not in (State.DONE, State.FAILED):
            give_up(settings, broker, clip, f"its analysis crashed: {reason}")
    seen = look(settings.incoming, memory.files, now_s)
    for link in sorted(seen.links - memory.links):
        logger.warning("%s is a symbolic link, left alone", _name(link, settings))
    memory.files, memory.links = seen.files, seen.links
    memory.taken = {path: taken for path, taken in memory.taken.items() if seen.files.get(path) == taken}
    for path, sighting in seen.files.items():
        if path not in memory.taken and now_s - sighting.since_s >= settings.stable_s:
            _take(settings, broker, path, sighting)
            memory.taken[path] = sighting


def _take(settings: Settings, broker: Broker, path: Path, sighting: Sighting) -> None:
    name = _name(path, settings)
    try:
        if not _encodable(path):
            path = move_clip(path, settings.incoming, name)
            name = _name(path, settings)
        key = clip_id(path, settings)
        if _sizes(path) != (sighting.size, sighting.modified_ns):
            return
    except OSError as error:
        logger.warning("%s cannot be read: %s", name, (error.strerror or str(error)).lower())
        return
    clip = Clip(
        id=key,
        name=name,
        path=str(path.absolute()),
        results=str(settings.results.absolute()),
        model=settings.model,
        annotate=settings.annotate,
    )
    known = clips.get(broker, key)
    if known is None or known.state is State.FAILED or _is_lost(known):
        _order(broker, clip, again=known is not None)
    elif known.state in _UNDER_WAY and (known.path == clip.path or not Path(known.path).exists()):
        clips.update(broker, key, path=clip.path, name=clip.name)
        jobs.enqueue(broker, Task.INGEST, key)
    elif known.path != clip.path or known.state is State.DONE:
        _put_away(settings, path, name, known)


def _order(broker: Broker, clip: Clip, *, again: bool) -> None:
    if again:
        clips.forget(broker, clip.id)
    if clips.create(broker, clip):
        jobs.enqueue(broker, Task.INGEST, clip.id)
        logger.info("%s queued%s", clip.name, " again" if again else "")


def _put_away(settings: Settings, path: Path, name: str, known: Clip) -> None:
    logger.info("%s is the same clip as %s, which is %s", name, known.name, known.state.value)
    try:
        move_clip(path, settings.done, name)
    except OSError as error:
        logger.warning("%s stays where it is: %s", name, (error.strerror or str(error)).lower())


def _is_lost(clip: Clip) -> bool:
    """Tell whether a clip is done and its files have gone since."""
    return clip.state is State.DONE and not (clip.out and Path(clip.out).is_dir())


def _sizes(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _name(path: Path, settings: Settings) -> str:
    return printable(path.relative_to(settings.incoming).as_posix())


def _encodable(path: Path) -> bool:
    """Tell whether a path is valid Unicode, as all that is stored and shown has to be."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        return False
    return True
