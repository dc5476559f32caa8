"""The job that RQ runs for every clip: from its file to the stream of faces."""

import logging
import threading
import time
from pathlib import Path

from services.ingest.examination import examine
from services.ingest.failures import give_up
from services.ingest.limits import open_within_limits
from services.ingest.progress import restore, store
from services.ingest.shots import ShotDetector
from shared.errors import ClipError
from shared.faces.detection import HaarDetector
from shared.messages import Face, Frame
from shared.queues import clips, counters, produce
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.outage import Outage, insist, reach
from shared.queues.produce import Position
from shared.settings import Settings, load_settings
from shared.stopwatch import Stopwatch
from shared.video import Footage

logger = logging.getLogger(__name__)


def ingest_clip(clip_id: str) -> None:
    """Decode a clip, find its faces and commit them, from where an earlier run of this job came to.

    A clip that cannot be decoded ends in the failed folder. While the broker is away, the job waits for it.
    """
    settings = load_settings()
    broker = reach(settings, threading.Event())
    if broker is not None:
        insist(lambda: ingest(settings, broker, clip_id))


def ingest(settings: Settings, broker: Broker, clip_id: str) -> None:
    """Ingest a clip from its last commit on; return quietly when it has ended or is another process's."""
    clip = clips.get(broker, clip_id)
    position = produce.position(broker, clip_id)
    if clip is None or clip.state not in (State.QUEUED, State.RUNNING) or position.finished:
        return
    try:
        with open_within_limits(Path(clip.path), max(0, position.frame - 1), settings) as footage:
            _announce(broker, clip, footage)
            _run(settings, broker, clip, footage, position)
    except ClipError as error:
        give_up(settings, broker, clip, str(error))
    except OSError as error:
        give_up(settings, broker, clip, f"the file cannot be read: {(error.strerror or str(error)).lower()}")


def _announce(broker: Broker, clip: Clip, footage: Footage) -> None:
    size = {"width": footage.width, "height": footage.height}
    started_s = clip.started_s or time.time()
    expected = footage.frames_expected
    clips.update(broker, clip.id, state=State.RUNNING, started_s=started_s, frames_expected=expected, **size)


def _run(settings: Settings, broker: Broker, clip: Clip, footage: Footage, position: Position) -> None:
    detector, shots = HaarDetector(settings.min_face_fraction), ShotDetector()
    progress, clock = restore(position.state), Stopwatch()
    next_frame, rows, faces = position.frame, list[Frame](), list[Face]()
    decoded_s = list[float]()
    outage = Outage(threading.Event())

    def commit(*, last: bool) -> bool:
        with clock.step("wait"):
            produce.wait_for_room(broker, settings.high_water, settings.low_water)
        spent = counters.spent("ingest", clock.take())
        with clock.step("commit"):
            return produce.commit(
                broker,
                clip.id,
                expected=next_frame,
                frames=rows,
                faces=faces,
                state=store(progress),
                tracks=progress.tracks.next_id,
                shots=progress.shot + 1,
                last=last,
                counts=spent,
                decoded_s=decoded_s,
                outage=outage,
            )

    for frame in clock.each("decode", footage.frames):
        if frame.index < position.frame:
            shots.is_cut(frame.image)
            continue
        decoded_s.append(time.time())
        with clock.step("detect"):
            progress, row, found = examine(
                frame, progress, clip=clip.id, shots=shots, detector=detector, settings=settings
            )
        rows.append(row)
        faces.extend(found)
        if len(rows) == settings.commit_frames:
            if not commit(last=False):
                return
            next_frame, rows, faces, decoded_s = next_frame + len(rows), [], [], []
    clips.update(broker, clip.id, warnings=footage.warnings, frames_expected=next_frame + len(rows))
    for warning in footage.warnings:
        logger.warning("%s: %s", clip.name, warning)
    if commit(last=True):
        logger.info("%s: %d frames decoded", clip.name, next_frame + len(rows))
