"""From a frame to the faces in it."""

import msgspec

from services.ingest.crops import cut_crop
from services.ingest.progress import Progress
from services.ingest.shots import ShotDetector
from services.ingest.tracking import advance, cut, expected
from shared.faces.detection import FaceDetector
from shared.messages import Face, Frame, Place
from shared.settings import Settings
from shared.video import DecodedFrame

_ROUNDING_S = 1e-6


def examine(
    frame: DecodedFrame,
    progress: Progress,
    *,
    clip: str,
    shots: ShotDetector,
    detector: FaceDetector,
    settings: Settings,
) -> tuple[Progress, Frame, list[Face]]:
    """Find, follow and crop the faces of a clip's next frame.

    Explained are a track's first face, and then one whenever `settings.explain_every_s` have passed.
    """
    if shots.is_cut(frame.image):
        progress = Progress(shot=progress.shot + 1, tracks=cut(progress.tracks))
    boxes = detector.detect(
        frame.image, expected(progress.tracks, frame.index, frame.time_s, settings.search_every_s)
    )
    tracks, ids = advance(progress.tracks, boxes, frame.index, frame.time_s)
    known = {track.id for track in tracks.live}
    explained_s = {track: time for track, time in progress.explained_s.items() if track in known}
    faces = []
    for number, (box, track) in enumerate(zip(boxes, ids, strict=True)):
        explain = _is_due(explained_s.get(track), frame.time_s, settings.explain_every_s)
        if explain:
            explained_s[track] = frame.time_s
        crop, margin = cut_crop(
            frame.image,
            box,
            margin=settings.crop_margin,
            size=settings.crop_size,
            quality=settings.jpeg_quality,
        )
        place = Place(
            clip=clip,
            frame=frame.index,
            time_s=frame.time_s,
            shot=progress.shot,
            face=number,
            track=track,
            box=box,
        )
        faces.append(Face(place=place, crop=crop, margin=margin, explain=explain))
    row = Frame(frame.index, frame.time_s, progress.shot, len(faces))
    return msgspec.structs.replace(progress, tracks=tracks, explained_s=explained_s), row, faces


def _is_due(last_s: float | None, time_s: float, every_s: float) -> bool:
    """Timestamps that jump back start the count again."""
    return last_s is None or time_s < last_s or time_s - last_s >= every_s - _ROUNDING_S
