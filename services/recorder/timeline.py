"""The timeline: one row per face, and one row for every frame without one."""

from collections.abc import Iterable
from typing import Final

import pandas as pd

from shared.emotions import EMOTIONS
from shared.messages import Frame, Reading
from shared.timeline import COLUMNS

_UNREAD: Final = (None,) * len(EMOTIONS)


def build_timeline(frames: Iterable[Frame], readings: Iterable[Reading]) -> pd.DataFrame:
    """Return the table of a clip, columns `COLUMNS`, ordered by frame, then face.

    Every frame has at least one row; where no face was read, its face columns are empty. A face that was
    given up keeps its place, box and track, and has no emotion. `time_s` is in seconds, boxes in pixels of
    the upright frame, probabilities in [0, 1]. A pair of frame and face stands in the table once: the first
    reading of it counts, but for one that was given up, which a later one replaces. Readings of frames that
    are not among `frames` are left out.
    """
    known: dict[int, Frame] = {}
    for frame in frames:
        known.setdefault(frame.frame, frame)
    faces: dict[tuple[int, int], Reading] = {}
    for reading in readings:
        at = reading.place.frame, reading.place.face
        if reading.place.frame in known and (at not in faces or faces[at].probabilities is None):
            faces[at] = reading

    empty_frames = known.keys() - {frame for frame, _ in faces}
    rows = [_face_row(known[frame], faces[frame, face]) for frame, face in faces]
    rows += [(*_moment(known[frame]), *[None] * (len(COLUMNS) - 3)) for frame in empty_frames]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return table.sort_values(["frame", "face"], ignore_index=True)


def _moment(frame: Frame) -> tuple[int, float, int]:
    return frame.frame, frame.time_s, frame.shot


def _face_row(frame: Frame, reading: Reading) -> tuple[object, ...]:
    place, box = reading.place, reading.place.box
    probabilities = reading.probabilities
    emotion, confidence = top_emotion(probabilities) if probabilities else (None, None)
    return (
        *_moment(frame),
        place.face,
        place.track,
        *(box.x, box.y, box.w, box.h),
        emotion,
        confidence,
        *(probabilities or _UNREAD),
        reading.aligned,
        reading.model,
    )


def top_emotion(probabilities: list[float]) -> tuple[str, float]:
    """Return the likeliest of `EMOTIONS` and its probability; of equals, the first."""
    confidence = max(probabilities)
    return EMOTIONS[probabilities.index(confidence)], confidence
