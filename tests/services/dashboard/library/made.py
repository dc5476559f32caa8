"""Results folders of made clips, whose explained faces are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from services.dashboard.library.shelf import Library, refresh
from services.recorder.files import write_tables
from services.recorder.moments import build_moments
from services.recorder.timeline import build_timeline
from shared.emotions import EMOTIONS
from shared.messages import Box, Explanation, Frame, Neighbour, Neighbours, Place, Reading
from tests.services.dashboard.made import drawn_face

MODEL = "nano@00000000"
FPS = 25


@dataclass(frozen=True)
class Seen:
    """An explained face: how sure of an emotion and of the next one, and where its embedding points."""

    emotion: str = "happy"
    confidence: float = 0.9
    second: float = 0.05
    direction: tuple[float, float, float] = (1, 0, 0)
    track: int = 0
    agrees: bool | None = None
    picture: bytes | None = None


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def sharp_face(seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 60, (112, 112, 3))
    return jpeg(np.clip(drawn_face(seed % 4).astype(int) + noise - 30, 0, 255).astype(np.uint8))


def blurred_face() -> bytes:
    return jpeg(cv2.GaussianBlur(drawn_face(), (0, 0), 9).astype(np.uint8))


def probabilities_of(seen: Seen) -> list[float]:
    first = EMOTIONS.index(seen.emotion)
    rest = (1 - seen.confidence - seen.second) / 5
    shares = [rest] * 7
    shares[first], shares[(first + 1) % 7] = seen.confidence, seen.second
    return shares


def finish_clip(
    results: Path, clip: str, faces: Sequence[Seen], *, model: str = MODEL, content: str = ""
) -> Path:
    """Do what the recorder does for a clip with one face in each frame; `clip` is id and name."""
    readings, answers = [], []
    for frame, seen in enumerate(faces):
        place = Place(
            clip=clip,
            frame=frame,
            time_s=frame / FPS,
            shot=0,
            face=0,
            track=seen.track,
            box=Box(9, 9, 90, 90),
        )
        vector = np.asarray(seen.direction, np.float64)
        explanation = Explanation(
            embedding=(vector / np.linalg.norm(vector)).astype("<f2").tobytes(),
            cam=bytes(196),
            cam_side=14,
            aligned=sharp_face(frame) if seen.picture is None else seen.picture,
        )
        readings.append(
            Reading(
                place=place,
                model=model,
                probabilities=probabilities_of(seen),
                aligned=True,
                explanation=explanation,
            )
        )
        if seen.agrees is not None:
            near = Neighbour(label="sad", source="x.mp4", frame=0, time_s=0.0, similarity=0.5)
            answers.append(Neighbours(place=place, nearest=[near], agrees=seen.agrees))
    timeline = build_timeline([Frame(n, n / FPS, 0, 1) for n in range(len(faces))], readings)
    folder = results / clip
    folder.mkdir(parents=True)
    summary = {
        "id": clip,
        "clip": f"{clip}.mp4",
        "content": content,
        "model": model,
        "frames": len(faces),
        "faces": len(faces),
    }
    write_tables(folder, timeline, build_moments(readings, answers), summary)
    return folder


def library_of(folder: Path, *faces: Seen) -> Library:
    """The library of a results folder that holds one clip."""
    finish_clip(folder, "one", faces)
    return refresh(Library(), folder)
