"""The paper's own loop, the plain way: one frame, one face, one forward pass at a time.

Source: the paper, sections III-B and III-F: Haar cascade at its defaults, the first face, MTCNN landmarks on
the crop, alignment to 224×224, POSTER.
"""

import statistics
import time
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.clips import existing
from benchmarks.machine import Machine, describe_machine
from benchmarks.models import Choice, open_model
from benchmarks.timing import Tell, read_repeatedly
from shared.errors import ClipError
from shared.faces.alignment import TEMPLATE, TEMPLATE_SIDE
from shared.faces.detection import CASCADE
from shared.poster.config import Preprocessing
from shared.poster.expression import ExpressionModel, Prediction

_EVERY_POINT: Final = 1e6


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured."""

    clips: tuple[str, ...]
    model: Choice = Choice()
    repeats: int = 3


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """A clip read once: frames, those in which a face was read, and where the seconds went."""

    frames: int
    faces: int
    seconds: float
    decode_s: float
    detect_s: float
    align_s: float
    model_s: float


class ClipRow(msgspec.Struct, frozen=True, kw_only=True):
    """A clip, medians over the repeats; times in milliseconds a frame."""

    clip: str
    frames: int
    faces: int
    frames_per_s: float
    faces_per_s: float
    decode_ms: float
    detect_ms: float
    align_ms: float
    model_ms: float
    frames_per_s_by_run: tuple[float, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    clips: tuple[ClipRow, ...]


class NaiveLoop:
    """The loop and what it needs; its model computes in float32 with as many threads as torch likes."""

    def __init__(self, model: ExpressionModel, preprocessing: Preprocessing) -> None:
        self._model = model
        self._mean = torch.tensor(preprocessing.mean).view(1, 3, 1, 1)
        self._std = torch.tensor(preprocessing.std).view(1, 3, 1, 1)
        self._cascade = cv2.CascadeClassifier(str(CASCADE))
        self._mtcnn = MTCNN()

    def read(self, path: Path) -> Pass:
        """Read a clip from its first to its last frame. Raises ClipError when it has none."""
        spent = {"decode": 0.0, "detect": 0.0, "align": 0.0, "model": 0.0}
        frames = faces = 0
        began = last = time.perf_counter()

        def lap(step: str) -> None:
            nonlocal last
            now = time.perf_counter()
            spent[step] += now - last
            last = now

        capture = cv2.VideoCapture(str(path))
        while True:
            there, frame = capture.read()
            lap("decode")
            if not there:
                break
            frames += 1
            found = self._cascade.detectMultiScale(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), 1.3, 5)
            lap("detect")
            if not len(found):
                continue
            x, y, w, h = found[0]
            face = np.asarray(cv2.cvtColor(frame[y : y + h, x : x + w], cv2.COLOR_BGR2RGB), np.uint8)
            aligned = self._align(face)
            lap("align")
            self._classify(aligned)
            lap("model")
            faces += 1
        capture.release()
        if not frames:
            raise ClipError(f"OpenCV finds no frame in {path}")
        return Pass(
            frames=frames,
            faces=faces,
            seconds=last - began,
            **{f"{step}_s": seconds for step, seconds in spent.items()},
        )

    def _align(self, face: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the face in the template's frame, or just resized where there are no landmarks."""
        _, _, points = self._mtcnn.detect(face, landmarks=True)
        if points is not None:
            five = np.asarray(points[0], np.float32)
            matrix, _ = cv2.estimateAffinePartial2D(five, TEMPLATE, ransacReprojThreshold=_EVERY_POINT)
            if matrix is not None:
                return np.asarray(cv2.warpAffine(face, matrix, (TEMPLATE_SIDE, TEMPLATE_SIDE)), np.uint8)
        return np.asarray(cv2.resize(face, (TEMPLATE_SIDE, TEMPLATE_SIDE)), np.uint8)

    def _classify(self, face: NDArray[np.uint8]) -> Tensor:
        with torch.no_grad():
            image = torch.from_numpy(face).permute(2, 0, 1)[None].float() / 255
            prediction: Prediction = self._model((image - self._mean) / self._std)
            return prediction.logits.softmax(dim=1)


def measure(settings: Settings, models: Path, tell: Tell) -> Measured:
    """Read each clip `repeats` times, and return the medians. Raises ReelmoodError for a clip or model."""
    paths = [existing(text) for text in settings.clips]
    machine = describe_machine()
    model = open_model(settings.model, models)
    loop = NaiveLoop(model, model.config.preprocessing if model.config else Preprocessing())
    rows = [
        summarise(path.name, read_repeatedly(path.name, partial(loop.read, path), settings.repeats, tell))
        for path in paths
    ]
    return Measured(machine=machine, settings=settings, clips=tuple(rows))


def summarise(clip: str, runs: list[Pass]) -> ClipRow:
    """Return the medians of a clip's runs, at least one."""

    def ms_a_frame(step: str) -> float:
        return 1000 * statistics.median(float(getattr(run, f"{step}_s")) / run.frames for run in runs)

    return ClipRow(
        clip=clip,
        frames=runs[0].frames,
        faces=runs[0].faces,
        frames_per_s=statistics.median(run.frames / run.seconds for run in runs),
        faces_per_s=statistics.median(run.faces / run.seconds for run in runs),
        decode_ms=ms_a_frame("decode"),
        detect_ms=ms_a_frame("detect"),
        align_ms=ms_a_frame("align"),
        model_ms=ms_a_frame("model"),
        frames_per_s_by_run=tuple(run.frames / run.seconds for run in runs),
    )
