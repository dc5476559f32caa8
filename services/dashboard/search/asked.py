"""The face that is looked for: one of a finished clip, or one of a clip that is still being read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.dashboard.library.faces import Faces
from services.dashboard.library.portraits import portraits_of
from services.dashboard.library.shelf import find
from services.dashboard.search.hits import Query, query_of
from shared.emotions import EMOTIONS
from shared.messages import Reading
from shared.moments import decode_embeddings
from shared.queues import results
from shared.queues.broker import Broker
from shared.queues.clips import Clip

_PAGE: Final = 500


@dataclass(frozen=True, eq=False)
class Asked:
    """A query and what is shown of its face: its picture (JPEG, empty if none is kept) and how it was read.

    `name` is the clip's, `time_s` in seconds, `confidence` that of `emotion`, 0–1.
    """

    query: Query
    name: str
    time_s: float
    emotion: str
    confidence: float
    picture: bytes


def of_finished(library: Iterable[Faces], clip: str, track: int, frame: int) -> Asked | None:
    """Return the face of a track in a frame of a finished clip; None where it is not known."""
    found = find(library, clip, track, frame)
    if found is None:
        return None
    faces, place = found
    return Asked(
        query=query_of(faces, place),
        name=faces.name,
        time_s=float(faces.time_s[place]),
        emotion=EMOTIONS[faces.emotion[place]],
        confidence=float(faces.confidence[place]),
        picture=portraits_of([found])[0],
    )


def of_running(broker: Broker, clip: Clip, track: int, frame: int) -> Asked | None:
    """Return the face of a track in a frame of a clip that is being read; None where it is not known."""
    cursor, before = results.START, ""
    while cursor != before:
        before = cursor
        page, cursor = results.readings(broker, clip.id, cursor, _PAGE)
        for reading in page:
            if (reading.place.track, reading.place.frame) == (track, frame) and reading.explanation:
                return _of_reading(clip, reading)
    return None


def _of_reading(clip: Clip, reading: Reading) -> Asked | None:
    place, explanation, probabilities = reading.place, reading.explanation, reading.probabilities
    if explanation is None or probabilities is None:
        return None
    try:
        embedding = decode_embeddings([explanation.embedding])[0]
    except ValueError:
        return None
    return Asked(
        query=Query(reading.model, embedding, clip.id, place.track, place.frame),
        name=clip.name,
        time_s=place.time_s,
        emotion=EMOTIONS[int(np.argmax(probabilities))],
        confidence=max(probabilities),
        picture=explanation.aligned,
    )
