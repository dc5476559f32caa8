"""A live source as a clip: it begins, is analysed and perhaps recorded, and ends as any other clip."""

import logging
import os
import platform
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from services.ingest.live.capture import Capture
from services.ingest.live.ending import end
from services.ingest.live.recording import Recording
from services.ingest.live.session import LiveOutage, analyse
from services.ingest.live.source import open_source, shown
from shared.errors import ReelmoodError
from shared.faces.detection import HaarDetector
from shared.folders import content_digest, printable
from shared.poster.active import ACTIVE, active
from shared.pulse import Pulse
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.heartbeat import heartbeat
from shared.queues.outage import Outage, insist
from shared.queues.presence import Service, live_name
from shared.settings import Settings
from shared.storage.clips import hand_up
from shared.storage.places import reference

logger = logging.getLogger(__name__)

_SUFFIX: Final = ".mp4"
_LOOK_S: Final = 0.2


@dataclass(frozen=True)
class Order:
    """What to film: a source's address, the clip's name (empty: by source and time), whether to record."""

    address: str
    name: str = ""
    record: bool = False


def film(
    settings: Settings, broker: Broker, order: Order, stop: threading.Event, pulse: Pulse | None = None
) -> Clip | None:
    """Analyse a live source until `stop` is set or its clip is asked to end, and return the clip.

    Afterwards the recorder writes the clip's files as those of any other; the recording goes to `done/`.
    Returns None when no frame came, or the clip was forgotten or cancelled meanwhile. Raises SourceError when
    the source cannot be opened at first; later it is opened again and again.
    """
    pulse, clip = pulse or Pulse(), _clip(settings, order)
    recording = Recording(_part(settings, clip)) if order.record else None
    opener = partial(open_source, order.address)
    capture = Capture(opener, shown(order.address), stop, recording.add if recording else None)
    threading.Thread(target=capture.run, name="capture", daemon=True).start()
    try:
        while not capture.is_there(_LOOK_S):
            if stop.is_set():
                return None
        _begin(broker, clip)
        logger.info("%s is analysed as %s", shown(order.address), clip.name)
        detector = HaarDetector(settings.min_face_fraction)
        with heartbeat(broker, _service(clip, order), pulse, settings.hang_s):
            if not analyse(settings, broker, clip, capture, detector, stop, pulse):
                logger.warning("%s was ended by another process", clip.name)
                if recording:
                    recording.discard()
                return None
            return _end(settings, broker, clip, capture, recording, LiveOutage(stop, pulse, capture))
    finally:
        stop.set()
        if recording:
            recording.finish(settings.done, clip.name)


def _begin(broker: Broker, clip: Clip) -> None:
    if not clips.create(broker, clip):
        raise ReelmoodError(f"there is a clip {clip.id} already")
    clips.update(broker, clip.id, state=State.RUNNING, started_s=time.time())


def _end(
    settings: Settings,
    broker: Broker,
    clip: Clip,
    capture: Capture,
    recording: Recording | None,
    outage: Outage,
) -> Clip | None:
    """Put the recording in its place and let the clip come to its end."""
    warnings = [f"the source broke off {capture.breaks} times"] if capture.breaks else []
    final: dict[str, object] = {"dropped": dict(capture.dropped)}
    if recording is not None:
        file = recording.finish(settings.done, clip.name)
        if file is not None:
            final |= {"content": content_digest(file), "path": _put_by(settings, file)}
        if recording.failure:
            warnings.append(recording.failure)
    insist(lambda: clips.update(broker, clip.id, **final), outage)
    if not end(broker, clip.id, warnings, outage):
        return None
    return insist(lambda: clips.get(broker, clip.id), outage)


def _clip(settings: Settings, order: Order) -> Clip:
    model = active(settings.models).name if settings.model == ACTIVE else settings.model
    name = printable(order.name).replace("/", "_").strip() or _default_name(order.address)
    return Clip(
        id=secrets.token_hex(16),
        name=name + _SUFFIX if order.record else name,
        path=reference(settings, settings.done / "live" / "not recorded"),
        results=reference(settings, settings.results),
        model=model,
        annotate=order.record and (settings.annotate or settings.blur),
        blur=settings.blur,
        keep_source=True,
        live=True,
    )


def _put_by(settings: Settings, file: Path) -> str:
    """Move a recording into the store, if there is one, and return what the broker is told of its place."""
    if not settings.store:
        return reference(settings, file)
    try:
        return reference(settings, hand_up(settings, file, settings.done, file.name))
    except OSError as error:
        logger.warning("%s stays on this host: %s", file.name, error.strerror or error)
        return str(file.absolute())


def _default_name(address: str) -> str:
    source = shown(address).partition("://")[2] or shown(address)
    return f"{source.replace(':', ' ')} {datetime.now():%Y-%m-%d %H-%M-%S}"


def _part(settings: Settings, clip: Clip) -> Path:
    return settings.incoming / f".{clip.id}{_SUFFIX}.part"


def _service(clip: Clip, order: Order) -> Service:
    return Service(
        name=live_name(clip.id),
        kind="camera",
        pid=os.getpid(),
        host=platform.node(),
        device=shown(order.address),
        note="records" if order.record else "",
    )
