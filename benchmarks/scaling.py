"""More workers: how much faster they work off a full stream of faces.

Up to the number of cores with the real model; beyond them with workers whose model only waits a stated time,
which shows what broker and worker loop could carry if every worker had a device of its own: each number of
them over each number of shards. The processor time that the broker and the workers take for a face tells how
far that goes where each has cores of its own.
"""

import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import cv2
import msgspec
import numpy as np

from benchmarks.broker import made_face
from benchmarks.clips import cut_faces, existing, read_frames
from benchmarks.house import House, house, worker_commands
from benchmarks.machine import Machine, describe_machine
from benchmarks.models import Choice, model_folder
from benchmarks.timing import Tell
from shared.errors import ReelmoodError
from shared.faces.detection import HaarDetector
from shared.messages import Frame
from shared.queues import clips, produce
from shared.queues.clips import Clip
from shared.queues.latency import passage
from shared.queues.shards import home_of
from shared.settings import load_settings

_FRAMES: Final = 200
_COMMIT: Final = 64
_LOOK_S: Final = 0.05


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured. `wait_ms` is what a waiting worker takes for a face; `faces` are for each worker.

    The faces of `clip` come much faster than they are read; each `explain_every`-th is to be explained. Each
    shard has a clip of them; real workers read from one shard.
    """

    clip: str
    model: Choice = Choice()
    workers: tuple[int, ...] = (1, 2)
    waiting: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    shards: tuple[int, ...] = (1, 4)
    wait_ms: float = 20.0
    faces: int = 1000
    explain_every: int = 12
    repeats: int = 3


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """So many workers, median of the repeats. `speedup` is over the fewest workers of the same kind.

    `efficiency` is the speedup by the number of workers. `broker_us` and `worker_us` are the processor time
    that the broker and all workers took for a face.
    """

    kind: str
    shards: int
    workers: int
    faces_per_s: float
    speedup: float
    efficiency: float
    broker_us: float
    worker_us: float
    faces_per_s_by_run: tuple[float, ...]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement."""

    faces_per_s: float
    broker_us: float
    worker_us: float


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
        kinds: list[tuple[str, int, tuple[int, ...], float | None]] = [("model", 1, settings.workers, None)]
        kinds += [("waiting", shards, settings.waiting, settings.wait_ms) for shards in settings.shards]
        for kind, shards, counts, wait_ms in kinds:
            runs: dict[int, list[Run]] = {}
            sharded = base.model_copy(update={"shards": shards})
            for count in counts:
                with house({"worker": worker_commands(count, wait_ms)}, sharded) as running:
                    model = model or running.model()
                    faces = settings.faces * count
                    runs[count] = [_run(running, crops, faces, settings) for _ in range(settings.repeats)]
                rate = median(run.faces_per_s for run in runs[count])
                tell(f"{count} {kind}, {shards} shards: {rate:.1f} faces/s")
            rows += rows_of(kind, runs, shards)
    return Measured(machine=machine, settings=settings, model=model, rows=tuple(rows))


def rows_of(kind: str, runs: Mapping[int, Sequence[Run]], shards: int = 1) -> list[Row]:
    """Return a row for each number of workers; the fewest are what the others are compared with."""
    if not runs:
        return []
    rates = {count: median(run.faces_per_s for run in measured) for count, measured in runs.items()}
    fewest = min(rates)
    one = rates[fewest] / fewest
    return [
        Row(
            kind=kind,
            shards=shards,
            workers=count,
            faces_per_s=rates[count],
            speedup=rates[count] / one,
            efficiency=rates[count] / one / count,
            broker_us=median(run.broker_us for run in measured),
            worker_us=median(run.worker_us for run in measured),
            faces_per_s_by_run=tuple(run.faces_per_s for run in measured),
        )
        for count, measured in runs.items()
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


def _run(running: House, crops: Sequence[bytes], faces: int, settings: Settings) -> Run:
    """Put faces on the streams of all shards, wait until all are read, and return how fast that went."""
    ids = _one_in_each_shard(running)
    for clip_id in ids:
        clip = Clip(id=clip_id, name="scaling", path="/", results="/", model=running.settings.model)
        clips.create(running.broker, clip)
    before = _spent(running)
    each = -(-faces // len(ids))
    for start in range(0, each, _COMMIT):
        for clip_id in ids:
            _bring(running, clip_id, start, min(start + _COMMIT, each), crops, settings)
    while True:
        running.check()
        known = clips.those(running.broker, ids)
        if len(known) < len(ids) or any(clip.failed for clip in known):
            raise ReelmoodError("a face could not be read")
        if all(clip.done == each for clip in known):
            break
        time.sleep(_LOOK_S)
    broker_s, worker_s = (after - then for after, then in zip(_spent(running), before, strict=True))
    read_s = [at_s for clip_id in ids for at_s in passage(running.broker, clip_id).read_s]
    for clip_id in ids:
        clips.forget(running.broker, clip_id)
    return Run(
        faces_per_s=steady_rate(read_s),
        broker_us=1e6 * broker_s / len(read_s),
        worker_us=1e6 * worker_s / len(read_s),
    )


def _one_in_each_shard(running: House) -> list[str]:
    """Return the ids of new clips, one for each shard."""
    found: dict[str, str] = {}
    while len(found) < running.settings.shards:
        clip_id = uuid.uuid4().hex
        found.setdefault(home_of(running.broker, clip_id).keys.faces, clip_id)
    return list(found.values())


def _spent(running: House) -> tuple[float, float]:
    """Return the processor seconds that the broker, and the workers, have used so far."""
    return running.broker_cpu_s(), sum(worker.cpu_s() for worker in running.of("worker"))


def _bring(
    running: House, clip_id: str, start: int, end: int, crops: Sequence[bytes], settings: Settings
) -> None:
    produce.commit(
        running.broker,
        clip_id,
        expected=start,
        frames=[Frame(number, number / 25, 0, 1) for number in range(start, end)],
        faces=[
            made_face(clip_id, number, crops[number % len(crops)], settings.explain_every)
            for number in range(start, end)
        ],
        state=b"",
        tracks=1,
        shots=1,
        last=False,
        decoded_s=[time.time()] * (end - start),
    )
