"""One session of a live source: its frames are analysed as they come, and dropped where that is too slow."""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import cv2
import numpy as np

from services.ingest.examination import examine
from services.ingest.live.capture import Capture, Captured
from services.ingest.previews import Previews
from services.ingest.progress import Progress, store
from services.ingest.shots import ShotDetector
from shared.errors import BrokerAwayError
from shared.faces.detection import FaceDetector
from shared.pulse import Pulse
from shared.queues import clips, counters, latency, produce
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.outage import Outage, insist
from shared.settings import Settings
from shared.stopwatch import Stopwatch
from shared.video import DecodedFrame

logger = logging.getLogger(__name__)

WORKERS_BEHIND: Final = "workers_behind"
DETECTION_BEHIND: Final = "detection_behind"
BROKER_AWAY: Final = "broker_away"

_LOOK_S: Final = 0.02
_REPORT_S: Final = 1.0
_REMEMBERED: Final = 1000
_PATIENCE_S: Final = 10.0


@dataclass
class _Position:
    """How far the session has come: frames committed, and what ingest remembers from one to the next."""

    committed: int = 0
    progress: Progress = field(default_factory=Progress)
    size: tuple[int, int] | None = None
    """Width and height of the first frame, in pixels: those of all others."""


def analyse(
    settings: Settings,
    broker: Broker,
    clip: Clip,
    capture: Capture,
    detector: FaceDetector,
    stop: threading.Event,
    pulse: Pulse,
) -> bool:
    """Analyse what `capture` brings until `stop` is set, or the clip is asked to end.

    The clip's last commit is left to `end`. Returns False when the clip is gone, or was ended by another.
    Raises what ended the capture, and BrokerAwayError when the broker is away for 10 s at the end.
    """
    shots, clock = ShotDetector(), Stopwatch()
    pictures = Previews(broker, clip.id, settings.preview_s)
    position, outage = _Position(), LiveOutage(stop, pulse, capture)
    captured_s: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
    report_at = time.monotonic()
    while not stop.is_set():
        pulse.beat(ready=True)
        if time.monotonic() >= report_at:
            report_at = time.monotonic() + _REPORT_S
            if not insist(lambda: _report(broker, clip.id, capture, captured_s, stop), outage):
                return False
        if insist(lambda: latency.under_way(broker, clip.id), outage) >= settings.live_high_water:
            capture.blame = WORKERS_BEHIND
            stop.wait(_LOOK_S)
            continue
        capture.blame = DETECTION_BEHIND
        captured = capture.take(_REPORT_S / 4)
        if captured is None:
            continue
        captured_s.append((captured.frame.index, captured.at_s))
        frame = _sized(captured, position)
        with clock.step("detect"):
            position.progress, row, faces = examine(
                frame, position.progress, clip=clip.id, shots=shots, detector=detector, settings=settings
            )
        with clock.step("preview"):
            pictures.show(frame, faces)
        if not produce.commit(
            broker,
            clip.id,
            expected=position.committed,
            frames=[row],
            faces=faces,
            state=store(position.progress),
            tracks=position.progress.tracks.next_id,
            shots=position.progress.shot + 1,
            last=False,
            counts=counters.spent("ingest", clock.take()),
            decoded_s=[captured.at_s],
            outage=outage,
        ):
            return False
        if not position.committed:
            height, width = frame.image.shape[:2]
            insist(partial(clips.update, broker, clip.id, width=width, height=height), outage)
        position.committed += 1
        pulse.handled += 1
    return True


class LiveOutage(Outage):
    """While the broker is away frames are dropped; once `stop` is set it is waited for 10 s at most."""

    def __init__(self, stop: threading.Event, pulse: Pulse, capture: Capture) -> None:
        super().__init__(threading.Event(), pulse)
        self._ending, self._capture = stop, capture
        self._until_s: float | None = None

    def wait(self, error: Exception) -> None:
        """Pause after a failed attempt. Raises BrokerAwayError when the time at the end is over."""
        self._capture.blame = BROKER_AWAY
        if self._ending.is_set():
            self._until_s = self._until_s or time.monotonic() + _PATIENCE_S
            if time.monotonic() >= self._until_s:
                raise BrokerAwayError("the broker does not answer, the end of the live source is not noted")
        super().wait(error)


def _report(
    broker: Broker,
    clip_id: str,
    capture: Capture,
    captured_s: deque[tuple[int, float]],
    stop: threading.Event,
) -> bool:
    """Say how the session goes, and look whether it shall end; False when the clip is gone or has ended."""
    clip = clips.get(broker, clip_id)
    if clip is None or clip.ingested or clip.state not in (State.QUEUED, State.RUNNING):
        return False
    seconds = latency.newest(broker, clip_id, dict(captured_s))
    clips.update(
        broker,
        clip_id,
        dropped=dict(capture.dropped),
        held=capture.note and f"waiting for the source: {capture.note}",
        **({} if seconds is None else {"latency_s": round(seconds, 3)}),
    )
    if clip.stopping:
        stop.set()
    return True


def _sized(captured: Captured, position: _Position) -> DecodedFrame:
    frame = captured.frame
    height, width = frame.image.shape[:2]
    position.size = position.size or (width, height)
    if (width, height) == position.size:
        return frame
    image = np.asarray(cv2.resize(frame.image, position.size, interpolation=cv2.INTER_AREA), np.uint8)
    return DecodedFrame(frame.index, frame.time_s, image)
