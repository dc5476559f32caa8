"""The job that ends a clip's run: its files are written, and the clip is moved out of the way."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from services.recorder import annotate, files
from services.recorder.moments import build_moments
from services.recorder.summary import build_summary
from services.recorder.timeline import build_timeline
from shared.errors import ClipError
from shared.folders import move_clip
from shared.messages import Frame, Reading
from shared.queues import clips, results
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.settings import Settings, load_settings

logger = logging.getLogger(__name__)

M = TypeVar("M")


def finish_clip(clip_id: str) -> None:
    """Finish a clip whose every face is done, under the settings of the environment. See `finish`."""
    settings = load_settings()
    finish(settings, connect(settings), clip_id)


def finish(settings: Settings, broker: Broker, clip_id: str) -> None:
    """Write the files of a clip whose every face is done, move the clip to `done/`, and mark it as done.

    Each step may be repeated: killed at any point and run again, it ends with the same files and the clip
    moved once. Raises ClipError when readings or frames are missing from the broker, before anything is
    written.
    """
    clip = clips.get(broker, clip_id)
    if clip is None or clip.state is State.DONE:
        logger.info("clip %s is done or forgotten, nothing to finish", clip_id)
        return
    if not clip.finished_s:
        clip = msgspec.structs.replace(clip, finished_s=time.time())
        clips.update(broker, clip_id, finished_s=clip.finished_s)
    source, stem = Path(clip.path), files.safe_stem(clip.name)
    out = files.published(Path(clip.results), stem, clip_id)
    if out is None or source.exists():
        out = _write(broker, clip, stem)
    if source.exists() and not clip.keep_source:
        move_clip(source, settings.done, clip.name)
    clips.update(broker, clip_id, state=State.DONE, out=str(out))
    clips.expire(broker, clip_id, settings.keep_s)
    logger.info("clip %s is done: %s", clip.name, out)


def _write(broker: Broker, clip: Clip, stem: str) -> Path:
    frames = _read_all(results.frames, broker, clip.id)
    readings = _read_all(results.readings, broker, clip.id)
    neighbours = _read_all(results.neighbours, broker, clip.id)
    _check_complete(clip, frames, readings)
    timeline = build_timeline(frames, readings)
    folder = Path(clip.results)
    with files.staged_folder(folder, stem, clip.id) as staged:
        warnings = [*clip.warnings, *_annotate(clip, staged, readings)]
        files.write_tables(
            staged, timeline, build_moments(readings, neighbours), build_summary(clip, timeline, warnings)
        )
        return files.publish(staged, folder, stem, clip.id)


def _annotate(clip: Clip, folder: Path, readings: list[Reading]) -> list[str]:
    if not clip.annotate:
        return []
    try:
        annotate.annotate_clip(Path(clip.path), folder, readings)
    except ClipError as error:
        logger.warning("clip %s: %s", clip.name, error)
        (folder / annotate.VIDEO).unlink(missing_ok=True)
        return [str(error)]
    return []


def _check_complete(clip: Clip, frames: list[Frame], readings: list[Reading]) -> None:
    """Raise ClipError when frames or readings are gone, as from a broker that has lost its data."""
    if len(frames) < clip.frames:
        raise ClipError(f"results are incomplete: {len(frames)} of {clip.frames} frames are on the broker")
    if len(readings) < clip.faces - clip.failed:
        raise ClipError(f"results are incomplete: {len(readings)} of {clip.faces} faces are on the broker")


def _read_all(
    read: Callable[[Broker, str, str], tuple[list[M], str]], broker: Broker, clip_id: str
) -> list[M]:
    everything: list[M] = []
    page, cursor = read(broker, clip_id, results.START)
    while page:
        everything += page
        page, cursor = read(broker, clip_id, cursor)
    return everything
