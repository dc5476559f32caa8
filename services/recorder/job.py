"""The job that ends a clip's run: its files are written, and the clip is moved out of the way."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from services.recorder import annotate, delivery, files
from services.recorder.moments import build_moments
from services.recorder.summary import build_summary
from services.recorder.thumbnails import THUMBNAILS, best_faces, write_thumbnails
from services.recorder.timeline import build_timeline
from shared.captions import CAPTIONS, captions_of
from shared.errors import ClipError, DataError
from shared.messages import Frame, Reading
from shared.people import People, load
from shared.process import computing_at_most
from shared.queues import clips, counters, results
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.outage import insist, reach
from shared.settings import Settings, load_settings
from shared.stopwatch import Stopwatch
from shared.storage.clips import at_hand, exists, let_go, move
from shared.storage.places import place, reference

logger = logging.getLogger(__name__)

M = TypeVar("M")

_LONGEST_S: Final = 60.0


def finish_clip(clip_id: str) -> None:
    """Finish a clip whose every face is done, under the settings of the environment. See `finish`.

    While the broker is away, the job waits for it. A clip whose files cannot be written, because the disk is
    full or may only be read, is held: it stays as it is, says so, and is tried again after a pause that grows
    up to a minute.
    """
    settings = load_settings()
    broker = reach(settings, threading.Event())
    if broker is not None:
        insist(lambda: _finish_or_hold(settings, broker, clip_id))


def _finish_or_hold(settings: Settings, broker: Broker, clip_id: str) -> None:
    try:
        finish(settings, broker, clip_id)
    except OSError as error:
        hold(broker, clip_id, error.strerror or str(error))


def hold(broker: Broker, clip_id: str, reason: str) -> None:
    """Take note that a clip's files cannot be written now, and when that is to be tried again."""
    clip = clips.get(broker, clip_id)
    if clip is None or clip.state is not State.FINISHING:
        return
    pause_s = min(_LONGEST_S, 2.0**clip.holds)
    held = f"its files cannot be written: {reason.lower()}"
    logger.warning("%s waits: %s; next try in %g s", clip.name, held, pause_s)
    clips.update(broker, clip_id, held=held, holds=clip.holds + 1, retry_s=time.time() + pause_s)


def finish(settings: Settings, broker: Broker, clip_id: str) -> None:
    """Write the files of a clip whose every face is done, move the clip to `done/`, and mark it as done.

    Each step may be repeated: killed at any point and run again, it ends with the same files and the clip
    moved once. A clip of which dead letters were put back is finished anew. Raises ClipError when readings or
    frames are missing from the broker, before anything is written.
    """
    clip = clips.get(broker, clip_id)
    if clip is None or clip.state is State.DONE:
        logger.info("clip %s is done or forgotten, nothing to finish", clip_id)
        return
    if not clip.finished_s:
        clip = msgspec.structs.replace(clip, finished_s=time.time())
        clips.update(broker, clip_id, finished_s=clip.finished_s)
    source, folder = place(settings, clip.path), place(settings, clip.results)
    stem, clock = files.safe_stem(clip.name), Stopwatch()
    out = delivery.published(settings, folder, stem, clip_id)
    is_there = exists(settings, source)
    if out is None or is_there or clip.late > clip.written:
        try:
            out = _write(settings, broker, clip, stem, clock)
        except ClipError as error:
            if out is None or not clip.late:
                raise
            logger.warning("clip %s keeps the files it has: %s", clip.name, error)
    if is_there and not clip.keep_source and not source.is_relative_to(settings.done.absolute()):
        moved = move(settings, source, settings.done, clip.name, content=clip.content)
        clips.update(broker, clip_id, path=reference(settings, moved))
    let_go(settings, source, clip.content)
    counts = counters.spent("recorder", clock.take()) | counters.lost(delivery.dropped(settings, out))
    told = reference(settings, out)
    clips.update(broker, clip_id, counts, state=State.DONE, out=told, held="", written=clip.late)
    clips.expire(broker, clip_id, settings.keep_s)
    logger.info("clip %s is done: %s", clip.name, out)


def _write(settings: Settings, broker: Broker, clip: Clip, stem: str, clock: Stopwatch) -> Path:
    with clock.step("collect"):
        frames, lost_frames = _read_all(results.frames, broker, clip.id)
        readings, lost_readings = _read_all(results.readings, broker, clip.id)
        neighbours, lost_neighbours = _read_all(results.neighbours, broker, clip.id)
    _check_complete(clip, frames, lost_frames, readings, lost_readings)
    lost = [*lost_frames, *lost_readings, *lost_neighbours]
    timeline = build_timeline(frames, readings)
    folder = place(settings, clip.results)
    with files.staged_folder(folder, stem, clip.id) as staged:
        with clock.step("annotate"):
            warnings = [*clip.warnings, *_losses(lost), *_annotate(settings, clip, staged, readings)]
        with clock.step("tables"):
            moments = build_moments(readings, neighbours, pictures=not clip.blur)
            files.write_tables(staged, timeline, moments, build_summary(clip, timeline, warnings))
            captions = captions_of(timeline, _people(files.published(folder, stem, clip.id)))
            (staged / CAPTIONS).write_text(captions, encoding="utf-8")
            write_thumbnails(staged / THUMBNAILS, best_faces(timeline, moments))
        return delivery.publish(settings, staged, folder, stem, clip.id)


def _people(before: Path | None) -> People:
    """Return what people said about a clip when it was finished before, as far as that can be read."""
    try:
        return load(before) if before is not None else People()
    except DataError as error:
        logger.warning("%s", error)
        return People()


def _annotate(settings: Settings, clip: Clip, folder: Path, readings: list[Reading]) -> list[str]:
    if not clip.annotate:
        return []
    # Decoding the clip a second time, and encoding it: within twice what ingest may take.
    limit_s = 2 * (settings.decode_limit_s + settings.decode_frame_s * clip.frames)
    try:
        source = place(settings, clip.path)
        with at_hand(settings, source, clip.content) as file, computing_at_most(limit_s):
            annotate.annotate_clip(file, folder, readings, blur=clip.blur, frames=clip.frames)
    except ClipError as error:
        logger.warning("clip %s: %s", clip.name, error)
        (folder / annotate.VIDEO).unlink(missing_ok=True)
        return [str(error)]
    return []


def _losses(lost: list[str]) -> list[str]:
    return [f"results that cannot be read are missing: {len(lost)}, first {lost[0]}"] if lost else []


def _check_complete(
    clip: Clip, frames: list[Frame], lost_frames: list[str], readings: list[Reading], lost_readings: list[str]
) -> None:
    """Raise ClipError when frames or readings are gone, as from a broker that has lost its data.

    Entries that are there and cannot be read do not hold a clip up: they end in its warnings.
    """
    if len(frames) < clip.frames and not lost_frames:
        raise ClipError(f"results are incomplete: {len(frames)} of {clip.frames} frames are on the broker")
    if len(readings) + len(lost_readings) < clip.faces - clip.failed:
        raise ClipError(f"results are incomplete: {len(readings)} of {clip.faces} faces are on the broker")


def _read_all(
    read: Callable[..., tuple[list[M], str]], broker: Broker, clip_id: str
) -> tuple[list[M], list[str]]:
    """Return all of a stream, and what of it cannot be read."""
    everything: list[M] = []
    lost: list[str] = []
    cursor, before = results.START, ""
    while cursor != before:
        before = cursor
        page, cursor = read(broker, clip_id, cursor, refused=lost.append)
        everything += page
    return everything, lost
