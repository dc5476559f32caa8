"""The job that RQ runs for every clip: from its file to the stream of faces."""

import logging
import threading
import time

from services.ingest.examination import examine
from services.ingest.failures import give_up
from services.ingest.limits import open_within_limits
from services.ingest.previews import Previews
from services.ingest.progress import restore, store
from services.ingest.shots import ShotDetector
from services.ingest.turn import Turn
from shared.errors import ClipError
from shared.faces.detection import HaarDetector
from shared.messages import Face, Frame
from shared.queues import clips, counters, jobs, produce, turns
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.lanes import lane_of
from shared.queues.outage import Outage, insist, reach
from shared.queues.produce import Position
from shared.settings import Settings, load_settings
from shared.stopwatch import Stopwatch
from shared.storage.clips import at_hand, let_go
from shared.storage.places import place
from shared.storage.store import StoreError
from shared.video import Footage

logger = logging.getLogger(__name__)


def ingest_clip(clip_id: str) -> object:
    """Decode a clip, find its faces and commit them, from where an earlier run of this job came to.

    A clip that cannot be decoded ends in the failed folder. While the broker is away, the job waits for it.
    When another clip's turn comes, this one goes back on its queue.
    """
    settings = load_settings()
    broker = reach(settings, threading.Event())
    unfinished = broker is not None and insist(lambda: ingest(settings, broker, clip_id))
    return jobs.AGAIN if unfinished else None


def ingest(settings: Settings, broker: Broker, clip_id: str) -> bool:
    """Ingest a clip from its last commit on, and return whether it is to go on after other clips.

    It is quietly let be when it has ended or is another process's.
    """
    clip = clips.get(broker, clip_id)
    position = produce.position(broker, clip_id)
    if clip is None or clip.state not in (State.QUEUED, State.RUNNING) or position.finished:
        return False
    source = place(settings, clip.path)
    try:
        with (
            at_hand(settings, source, clip.content) as file,
            open_within_limits(file, max(0, position.frame - 1), settings) as footage,
        ):
            _announce(broker, clip, footage)
            length = turns.length_s(footage.frames_expected, file)
            turn = Turn(broker, clip.id, clip.created_s, length, settings.turn_s)
            if _run(settings, broker, clip, footage, position, turn):
                turn.hand_over()
                return True
        if not clip.annotate:  # else the recorder comes back to it
            let_go(settings, source, clip.content)
    except StoreError as error:
        logger.warning("%s waits: %s", clip.name, error)
        time.sleep(settings.store_poll_s)
        turns.expect(broker, clip.id, time.time())
        return True
    except ClipError as error:
        give_up(settings, broker, clip, str(error))
    except OSError as error:
        give_up(settings, broker, clip, f"the file cannot be read: {(error.strerror or str(error)).lower()}")
    return False


def _announce(broker: Broker, clip: Clip, footage: Footage) -> None:
    size = {"width": footage.width, "height": footage.height}
    started_s = clip.started_s or time.time()
    expected = footage.frames_expected
    # Faces of a clip are read in order only if all of them go to one lane, whatever its header said later.
    lane = clip.lane if clip.started_s else lane_of(expected)
    clips.update(
        broker,
        clip.id,
        state=State.RUNNING,
        started_s=started_s,
        frames_expected=expected,
        lane=lane,
        **size,
    )


def _run(
    settings: Settings, broker: Broker, clip: Clip, footage: Footage, position: Position, turn: Turn
) -> bool:
    """Ingest the frames that are left, and return whether another clip's turn came before their end."""
    detector, shots = HaarDetector(settings.min_face_fraction), ShotDetector()
    progress, clock = restore(position.state), Stopwatch()
    next_frame, rows, faces = position.frame, list[Frame](), list[Face]()
    decoded_s = list[float]()
    outage = Outage(threading.Event())
    pictures = Previews(broker, clip.id, settings.preview_s)

    def has_room() -> bool:
        with clock.step("wait"):
            return produce.wait_for_room(
                broker, settings.high_water, settings.low_water, clip.id, turn.is_idle
            )

    def commit(*, last: bool) -> bool:
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
        if frame.index == position.frame:
            turn.catch_up()
        decoded_s.append(time.time())
        with clock.step("detect"):
            progress, row, found = examine(
                frame, progress, clip=clip.id, shots=shots, detector=detector, settings=settings
            )
        with clock.step("preview"):
            pictures.show(frame, found)
        rows.append(row)
        faces.extend(found)
        if len(rows) == settings.commit_frames:
            if not has_room():
                return True
            if not commit(last=False):
                return False
            next_frame, rows, faces, decoded_s = next_frame + len(rows), [], [], []
            if turn.is_over():
                return True
    if not has_room():
        return True
    clips.update(broker, clip.id, warnings=footage.warnings, frames_expected=next_frame + len(rows))
    for warning in footage.warnings:
        logger.warning("%s: %s", clip.name, warning)
    if commit(last=True):
        logger.info("%s: %d frames decoded", clip.name, next_frame + len(rows))
    return False
