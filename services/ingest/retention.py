"""What is kept for a while only: finished and failed clips, and results."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from shared import traces
from shared.queues import clips, persistence
from shared.queues.broker import Broker
from shared.queues.clips import State
from shared.settings import Settings
from shared.storage import clips as stored
from shared.storage import results
from shared.summary import SUMMARY

logger = logging.getLogger(__name__)

_DAY_S: Final = 24 * 3600.0


def sweep(settings: Settings, broker: Broker, now_s: float) -> int:
    """Delete what has been kept for longer than `settings.retention_days`, and return how many things.

    These are the files in `done/` and `failed/`, the results, what killed runs left among them, and what the
    broker knows of clips that have ended. `now_s` is in Unix seconds. A file's age counts from the time it
    came to where it is (its status change), not from when the film was made.
    """
    limit_s = now_s - settings.retention_days * _DAY_S
    removed = _sweep_store(settings, round(limit_s * 1e9)) if settings.store else 0
    here = [] if settings.store else list(traces.kept_files(settings, settings.done, settings.failed))
    for path, root in here:
        removed += _expire(path, path, limit_s, partial(traces.remove_file, settings, path, root))
    folders = [(run.folder, run.folder / SUMMARY) for run in traces.archived(settings.results) if run.folder]
    folders += [(path, path) for path, _ in traces.unfinished(settings.results)]
    for folder, dated in folders:
        removed += _expire(folder, dated, limit_s, partial(traces.remove_folder, folder))
    for clip in clips.recent(broker, 0):
        if clip.state in (State.DONE, State.FAILED) and 0 < clip.finished_s < limit_s:
            clips.forget(broker, clip.id)
            logger.info(
                "%s is forgotten: it ended %g days ago", clip.name, (now_s - clip.finished_s) / _DAY_S
            )
            removed += 1
    if removed:
        persistence.compact(broker, patience_s=0)
    return removed


def _sweep_store(settings: Settings, limit_ns: int) -> int:
    """Delete what has been in the store for too long. Raises StoreError."""
    old = [
        path
        for path, (_, came_ns) in stored.kept(settings).items()
        if came_ns < limit_ns and not path.is_relative_to(settings.incoming)
    ]
    for path in old:
        stored.delete(settings, path)
    folders = results.expired(settings, limit_ns)
    for folder in folders:
        results.remove(settings, folder)
    for path in [*old, *folders]:
        logger.info("%s is deleted from the store: it was kept for its time", path.relative_to(settings.home))
    return len(old) + len(folders)


def _expire(path: Path, dated: Path, limit_s: float, remove: Callable[[], None]) -> int:
    try:
        if dated.lstat().st_ctime >= limit_s:
            return 0
        remove()
    except OSError as error:
        logger.warning("%s cannot be deleted: %s", path, (error.strerror or str(error)).lower())
        return 0
    logger.info("%s is deleted: it was kept for its time", path)
    return 1
