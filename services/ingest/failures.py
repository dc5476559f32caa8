"""Clips that cannot be analysed."""

import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from shared.folders import move_clip
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings
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
    source = Path(clip.path)
    if not clip.keep_source and source.is_file():
        try:
            _set_aside(source, settings.failed, clip.name, reason)
        except OSError as error:
            logger.warning("%s stays where it is: %s", clip.name, error.strerror)
    clips.update(broker, clip.id, state=State.FAILED, error=reason, finished_s=time.time())


def _set_aside(source: Path, into: Path, name: str, reason: str) -> None:
    moved = move_clip(source, into, name, beside=REASON)
    report = {"clip": name, "reason": reason, "when": datetime.now(UTC).isoformat(timespec="seconds")}
    text = msgspec.json.format(msgspec.json.encode(report), indent=2)
    with moved.with_name(moved.name + REASON).open("xb") as file:
        file.write(text + b"\n")
