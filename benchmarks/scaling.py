"""More workers: how much faster they work off a full stream of faces.

Up to the number of cores with the real model; beyond them with workers whose model only waits a stated time,
which shows what broker and worker loop could carry if every worker had a device of its own.
"""

import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Final

import cv2
import msgspec
import numpy as np

from benchmarks.clips import cut_faces, existing, read_frames
from benchmarks.house import House, house, worker_commands
from benchmarks.machine import Machine, describe_machine
from benchmarks.models import Choice, model_folder
from benchmarks.timing import Tell
from shared.errors import ReelmoodError
from shared.faces.detection import HaarDetector
from shared.messages import Box, Face, Frame, Place
from shared.queues import clips, produce
from shared.queues.clips import Clip
from shared.queues.latency import passage
from shared.settings import load_settings

_FRAMES: Final = 200
_COMMIT: Final = 64
_LOOK_S: Final = 0.05


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured. `wait_ms` is what a waiting worker takes for a face; `faces` are for each worker.

    The faces of `clip` come much faster than they are read; each `explain_every`-th is to be explained.
    """

    clip: str
    model: Choice = Choice()
    workers: tuple[int, ...] = (1, 2)
    waiting: tuple[int, ...] = (1, 2, 4, 8, 16)
    wait_ms: float = 20.0
    faces: int = 1000
    explain_every: int = 12
    repeats: int = 3


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """So many workers, median of the repeats. `speedup` is over the row of one worker of the same kind.

    `efficiency` is the speedup by the number of workers.
    """

    kind: str
    workers: int
    faces_per_s: float
    speedup: float
    efficiency: float
    faces_per_s_by_run: tuple[float, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    model: str
    rows: tuple[Row, ...]


def measure(settings: Settings, models: Path, tell: Tell) -> Measured:
    """Have so many workers read a stream full of faces, each row `repeats` times.

    Raises ReelmoodError when the clip has no face or the model cannot be used.
    """
    path = existing(settings.clip)
    machine = describe_machine()
    crops = _crops(path)
    rows: list[Row] = []
    model = ""
    with tempfile.TemporaryDirectory(prefix="reelmood-bench-") as folder:
        base = load_settings(
            home=Path(folder), model=str(model_folder(settings.model, models, Path(folder) / "models"))
        )
        kinds = {"model": (settings.workers, None), "waiting": (settings.waiting, settings.wait_ms)}
        for kind, (counts, wait_ms) in kinds.items():
            rates: dict[int, list[float]] = {}
            for count in counts:
                with house({"worker": worker_commands(count, wait_ms)}, base) as running:
                    model = model or running.model()
                    faces = settings.faces * count
                    once = [_rate(running, crops, faces, settings) for _ in range(settings.repeats)]
                rates[count] = once
                tell(f"{count} {kind}: {median(once):.1f} faces/s")
            rows += rows_of(kind, rates)
    return Measured(machine=machine, settings=settings, model=model, rows=tuple(rows))


def rows_of(kind: str, rates: Mapping[int, Sequence[float]]) -> list[Row]:
    """Return a row for each number of workers; the fewest are what the others are compared with."""
    if not rates:
        return []
    fewest = min(rates)
    one = median(rates[fewest]) / fewest
    return [
        Row(
            kind=kind,
            workers=count,
            faces_per_s=median(measured),
            speedup=median(measured) / one,
            efficiency=median(measured) / one / count,
            faces_per_s_by_run=tuple(measured),
        )
        for count, measured in rates.items()
    ]


def steady_rate(read_s: Sequence[float]) -> float:
    """Return how many results a second came in the middle of a measurement, by their times.

    The slope of the count over time, in least squares, over the middle eight tenths: at the ends not all
    workers have work, and results come a batch at a time.
    """
    edge = len(read_s) // 10
    times = np.sort(np.asarray(read_s, np.float64))[edge : len(read_s) - edge]
    return float(np.polynomial.Polynomial.fit(times, np.arange(len(times)), 1).convert().coef[1])


def _crops(path: Path) -> list[bytes]:
    """Return faces of the clip as ingest's JPEGs."""
    settings = load_settings()
    detector = HaarDetector(settings.min_face_fraction)
    found = cut_faces(read_frames(path, _FRAMES), detector, settings.crop_margin, settings.crop_size)
    quality = [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality]
    return [
        cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), quality)[1].tobytes() for crop in found
    ]


def _rate(running: House, crops: Sequence[bytes], faces: int, settings: Settings) -> float:
    """Put faces on the stream, wait until all are read, and return how many were read a second."""
    clip = Clip(id=uuid.uuid4().hex, name="scaling", path="/", results="/", model=running.settings.model)
    clips.create(running.broker, clip)
    rows = list(enumerate(islice(cycle(crops), faces)))
    for start in range(0, faces, _COMMIT):
        part = rows[start : start + _COMMIT]
        produce.commit(
            running.broker,
            clip.id,
            expected=start,
            frames=[Frame(number, number / 25, 0, 1) for number, _ in part],
            faces=[_face(clip.id, number, crop, settings.explain_every) for number, crop in part],
            state=b"",
            tracks=1,
            shots=1,
            last=False,
            decoded_s=[time.time()] * len(part),
        )
    while True:
        running.check()
        now = clips.get(running.broker, clip.id)
        if now is None or now.failed:
            raise ReelmoodError("a face could not be read")
        if now.done == faces:
            break
        time.sleep(_LOOK_S)
    read_s = passage(running.broker, clip.id).read_s
    clips.forget(running.broker, clip.id)
    return steady_rate(read_s)


def _face(clip: str, number: int, crop: bytes, explain_every: int) -> Face:
    place = Place(clip=clip, frame=number, time_s=number / 25, shot=0, face=0, track=0, box=Box(0, 0, 9, 9))
    return Face(place=place, crop=crop, margin=0.25, explain=number % explain_every == 0)
