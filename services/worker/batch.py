"""A batch: entries of the face stream in, one outcome each out, whatever is wrong with them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.worker.device import DeviceError, DeviceFullError
from services.worker.engine import ExpressionEngine, FaceCrop, Predictions
from shared.emotions import EMOTIONS
from shared.errors import MessageError
from shared.logs import about
from shared.messages import Explanation, Face, Query, Reading, decode, encode
from shared.pictures import decode_crop
from shared.queues.work import Entry, Outcome

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """An entry with the face that it carries."""

    entry: Entry
    face: Face
    crop: FaceCrop


def read_batch(engine: ExpressionEngine, entries: Sequence[Entry], max_deliveries: int) -> list[Outcome]:
    """Return what became of each entry, in any order. Raises DeviceError.

    An entry is given up when it carries no face, when it was delivered more than `max_deliveries` times, or
    when the engine fails at it alone.
    """
    opened = [open_entry(entry, engine.model, max_deliveries) for entry in entries]
    given_up = [one for one in opened if isinstance(one, Outcome)]
    return given_up + _read(engine, [one for one in opened if isinstance(one, Job)])


def read_within_memory(
    engine: ExpressionEngine, entries: Sequence[Entry], max_deliveries: int, limit: int
) -> tuple[list[Outcome], int]:
    """Return `read_batch` of the entries, at most `limit` at a time, and the limit for the next batch.

    When the device has no memory for so many, the limit is halved. Raises DeviceFullError when it has none
    for a single face.
    """
    while True:
        try:
            parts = [entries[start : start + limit] for start in range(0, len(entries), limit)]
            return [outcome for part in parts for outcome in read_batch(engine, part, max_deliveries)], limit
        except DeviceFullError as error:
            limit = min(limit, len(entries)) // 2
            if limit == 0:
                raise
            logger.warning("%s; from now on %d faces at a time", error, limit)


def open_entry(entry: Entry, model: str, max_deliveries: int) -> Job | Outcome:
    """Return the face that an entry carries, or the outcome of one that must be given up."""
    try:
        face = decode(Face, entry.data)
    except MessageError as error:
        with about(entry.clip):
            logger.warning("entry %s of clip %s given up: %s", entry.id, entry.clip, error)
        return Outcome(entry, failure=str(error))
    if entry.deliveries > max_deliveries:
        # Its picture stays closed: it may be what ended the workers that had it.
        return _give_up(entry, face, model, f"{max_deliveries} workers took it and none finished")
    image = decode_crop(face.crop)
    if image is None:
        return _give_up(entry, face, model, "its crop is no square picture")
    return Job(entry, face, FaceCrop(image, face.margin, face.explain))


def _read(engine: ExpressionEngine, jobs: Sequence[Job]) -> list[Outcome]:
    """Return the outcomes of `jobs`; what the engine fails at is halved until the culprit is alone."""
    if not jobs:
        return []
    try:
        predictions = engine.predict([job.crop for job in jobs])
    except DeviceError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever one face makes the engine raise, the others go on
        if len(jobs) == 1:
            return [_give_up(jobs[0].entry, jobs[0].face, engine.model, _describe(error))]
        half = len(jobs) // 2
        return _read(engine, jobs[:half]) + _read(engine, jobs[half:])
    return _outcomes(jobs, predictions, engine.model)


def _outcomes(jobs: Sequence[Job], predictions: Predictions, model: str) -> list[Outcome]:
    explained = iter(zip(predictions.cams, predictions.portraits, strict=True))
    outcomes = []
    for job, probabilities, embedding, aligned in zip(
        jobs, predictions.probabilities, predictions.embeddings, predictions.aligned, strict=True
    ):
        explanation = _explain(embedding, *next(explained)) if job.crop.explain else None
        if not (np.isfinite(probabilities).all() and np.isfinite(embedding).all()):
            outcomes.append(_give_up(job.entry, job.face, model, "the model's answer is not a number"))
            continue
        place, forward = job.face.place, b""
        if explanation is not None:
            emotion = EMOTIONS[int(probabilities.argmax())]
            query = Query(place=place, model=model, emotion=emotion, embedding=explanation.embedding)
            forward = encode(query)
        reading = Reading(
            place=place,
            model=model,
            probabilities=probabilities.tolist(),
            aligned=bool(aligned),
            explanation=explanation,
        )
        outcomes.append(Outcome(job.entry, encode(reading), forward))
    return outcomes


def _explain(embedding: NDArray[np.float32], cam: NDArray[np.uint8], portrait: bytes) -> Explanation:
    return Explanation(
        embedding=embedding.astype("<f2").tobytes(), cam=cam.tobytes(), cam_side=len(cam), aligned=portrait
    )


def _give_up(entry: Entry, face: Face, model: str, reason: str) -> Outcome:
    place = face.place
    with about(place.clip):
        logger.warning(
            "face %d of frame %d of clip %s given up: %s", place.face, place.frame, place.clip, reason
        )
    reading = Reading(place=place, model=model, probabilities=None, aligned=False, error=reason)
    return Outcome(entry, encode(reading), failure=reason)


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]
