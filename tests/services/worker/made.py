"""Faces, messages and an engine that the tests of the worker make up."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.worker.engine import FaceCrop, Predictions
from shared.messages import Box, Face, Frame, Place, encode
from shared.queues import clips, produce
from shared.queues.broker import Broker
from shared.queues.clips import Clip
from shared.queues.work import Entry

CLIP = "clip-1"
MODEL = "made@00000000"
SIDE = 16


def picture(seed: int, side: int = SIDE) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def jpeg(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def face(frame: int, *, explain: bool = False, crop: bytes | None = None) -> Face:
    """One face in frame `frame`; how bright its crop is tells the made engine which one it is."""
    place = Place(clip=CLIP, frame=frame, time_s=frame / 25, shot=0, face=0, track=0, box=Box(1, 2, 30, 30))
    if crop is None:
        crop = jpeg(np.full((SIDE, SIDE, 3), brightness(frame), np.uint8))
    return Face(place=place, crop=crop, margin=0.25, explain=explain)


def brightness(frame: int) -> int:
    return 10 * frame + 5


def entry(one: Face, deliveries: int = 1) -> Entry:
    return Entry(f"{one.place.frame}-1", one.place.clip, encode(one), deliveries)


def produce_clip(broker: Broker, faces: Sequence[Face]) -> None:
    """Register a clip that is decoded and whose faces all wait, one per frame."""
    assert clips.create(broker, Clip(id=CLIP, name="a.mp4", path="/a.mp4", results="/r", model="made"))
    assert produce.commit(
        broker,
        CLIP,
        expected=0,
        frames=[Frame(one.place.frame, one.place.time_s, 0, 1) for one in faces],
        faces=list(faces),
        state=b"",
        tracks=1,
        shots=1,
        last=True,
    )


class MadeEngine:
    """Answers at once; `before` sees the frames of each batch first, and may raise."""

    model = MODEL
    device = "made"

    def __init__(self, before: Callable[[list[int]], None] = lambda frames: None) -> None:
        self.before = before
        self.batches: list[list[int]] = []

    def predict(self, faces: Sequence[FaceCrop]) -> Predictions:
        frames = [int(one.image.mean()) // 10 for one in faces]
        self.batches.append(frames)
        self.before(frames)
        explained = [frame for one, frame in zip(faces, frames, strict=True) if one.explain]
        probabilities = np.zeros((len(faces), 7), np.float32)
        probabilities[np.arange(len(faces)), np.array(frames) % 7] = 1
        embeddings = np.zeros((len(faces), 4), np.float32)
        embeddings[:, 1] = 1
        return Predictions(
            probabilities=probabilities,
            embeddings=embeddings,
            aligned=np.ones(len(faces), np.bool_),
            cams=np.array([np.full((2, 2), frame) for frame in explained], np.uint8).reshape(-1, 2, 2),
            portraits=[f"portrait {frame}".encode() for frame in explained],
        )


def poison(*culprits: int) -> Callable[[list[int]], None]:
    """Return a `before` that raises for these frames."""

    def check(frames: list[int]) -> None:
        if not set(culprits).isdisjoint(frames):
            raise ValueError(f"cannot read {frames}\nsecond line")

    return check
