"""Clips that cannot be analysed."""

import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings
from shared.storage.clips import exists, let_go, move, write_beside
from shared.storage.places import place
from shared.traces import REASON

logger = logging.getLogger(__name__)


def give_up(settings: Settings, broker: Broker, clip: Clip, reason: str) -> None:
    """Set a clip aside: its file goes to the failed folder, beside `<name>.error.json` with the reason.

    The file of a clip with `keep_source`, and one that is gone, is left; the clip's state says it all.
    """
    # Set before the file is moved, so that a run that is cut off here and repeated finds the true reason.
    reason = clip.error or reason
    clips.update(broker, clip.id, error=reason)
    logger.warning("%s failed: %s", clip.name, reason)
    source = place(settings, clip.path)
    try:
        let_go(settings, source, clip.content)
        if not clip.keep_source and exists(settings, source):
            _set_aside(settings, source, clip, reason)
    except OSError as error:
        logger.warning("%s stays where it is: %s", clip.name, error.strerror or error)
    clips.update(broker, clip.id, state=State.FAILED, error=reason, finished_s=time.time())


def _set_aside(settings: Settings, source: Path, clip: Clip, reason: str) -> None:
    moved = move(settings, source, settings.failed, clip.name, beside=REASON, content=clip.content)
    report = {"clip": clip.name, "reason": reason, "when": datetime.now(UTC).isoformat(timespec="seconds")}
    text = msgspec.json.format(msgspec.json.encode(report), indent=2)
    write_beside(settings, moved, REASON, text + b"\n")
