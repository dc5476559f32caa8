"""Sees to it that every clip under way has someone who works on it."""

import logging
import time
from dataclasses import dataclass, field
from typing import Final

from services.ingest.failures import give_up
from services.ingest.live.ending import end
from shared.logs import about
from shared.queues import clips, jobs, presence
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.tasks import Task
from shared.settings import Settings

logger = logging.getLogger(__name__)

_PAGE: Final = 50
_STRAY_S: Final = 3.0
_CAMERA_LOST_S: Final = 15.0
_CRASHES: Final = 5
_ENDED: Final = (State.DONE, State.FAILED)


@dataclass
class Oversight:
    """What is remembered from one look to the next."""

    start: int = 0
    """The first clip, by age, of the next look: each takes in a page, and the newest."""
    strays: dict[str, float] = field(default_factory=dict)
    """Clips that nobody seemed to work on or to film, and since when."""


def oversee(settings: Settings, broker: Broker, memory: Oversight, now_s: float) -> None:
    """Order the files of clips that are done, and put clips whose job crashed or got lost on its queue again.

    A clip whose job crashes six times without getting on is given up, and one that went beyond its computing
    time at once. `now_s` is monotonic.
    """
    jobs.dispatch_finished(broker)
    for clip_id, reason in jobs.take_failed(broker):
        clip = clips.get_or_forget(broker, clip_id)
        if clip is not None and clip.state not in _ENDED:
            with about(clip_id):
                _after_crash(settings, broker, clip, reason)
    clips.trim(broker, settings.keep_clips)
    page = clips.page(broker, memory.start, _PAGE)
    memory.start = memory.start + _PAGE if page else 0
    looked_at = {clip.id: clip for clip in [*page, *clips.recent(broker, _PAGE)]}.values()
    filmed = [clip for clip in looked_at if clip.live and not clip.ingested and clip.state not in _ENDED]
    alive = {service.name for service in presence.alive(broker)} if filmed else set()
    for clip in looked_at:
        with about(clip.id):
            if clip in filmed:
                _look_after_live(broker, clip, memory, now_s, there=presence.live_name(clip.id) in alive)
            else:
                _look_after(broker, clip, memory, now_s)


def _after_crash(settings: Settings, broker: Broker, clip: Clip, reason: str) -> None:
    crashes = clips.count_crash(broker, clip.id)
    task = _task_of(clip)
    if crashes > _CRASHES:
        give_up(settings, broker, clip, f"its analysis crashed: {reason}")
    elif reason == jobs.OVERTIME:
        give_up(settings, broker, clip, reason)
    elif task is not None:
        logger.warning("%s goes on after a crash: %s", clip.name, reason)
        jobs.restore(broker, task, clip.id)


def _look_after(broker: Broker, clip: Clip, memory: Oversight, now_s: float) -> None:
    task = _task_of(clip)
    if task is None or jobs.stands(broker, task, clip.id):
        memory.strays.pop(clip.id, None)
        return
    # A runner that takes a job has it in neither place for a moment.
    if now_s - memory.strays.setdefault(clip.id, now_s) >= _STRAY_S:
        del memory.strays[clip.id]
        if not clip.held:
            logger.warning("%s had lost its job, queued again", clip.name)
        jobs.restore(broker, task, clip.id)


def _look_after_live(broker: Broker, clip: Clip, memory: Oversight, now_s: float, *, there: bool) -> None:
    """End a live clip whose process has been gone for a while: what it has brought is kept."""
    if there:
        memory.strays.pop(clip.id, None)
    elif now_s - memory.strays.setdefault(clip.id, now_s) >= _CAMERA_LOST_S:
        del memory.strays[clip.id]
        logger.warning("%s ends: the process that read its source is gone", clip.name)
        end(broker, clip.id, ["the process that read its source was lost"])


def _task_of(clip: Clip) -> Task | None:
    """Return the job that a clip needs now; None while it is filmed, at the workers, held, or has ended."""
    if clip.state in (State.QUEUED, State.RUNNING) and not (clip.ingested or clip.live):
        return Task.INGEST
    if clip.state is State.FINISHING and clip.pending <= 0 and time.time() >= clip.retry_s:
        return Task.FINISH
    return None
