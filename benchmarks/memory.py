"""Resident memory of every service while a long clip goes through: flat, or growing with the frames."""

import tempfile
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.clips import existing, loop_clip
from benchmarks.house import House
from benchmarks.machine import Machine, describe_machine
from benchmarks.models import Choice
from benchmarks.pipeline import Settings as Pipeline
from benchmarks.pipeline import opened
from benchmarks.timing import Tell
from shared.errors import ReelmoodError
from shared.queues.clips import Clip

_MB = 1 << 20
_TOLD = 1000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: a clip, repeated until it has `frames`; what comes before `after` is start-up."""

    clip: str
    model: Choice = Choice()
    workers: int = 1
    frames: int = 20_000
    after: int = 2000


class Sample(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The resident bytes of a stage when so many frames had been committed."""

    frame: int
    resident: int


class StageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stage's processes together. `growth` is the largest sample divided by the smallest, less 1.

    `drift` is the median of the last tenth of the samples by that of the first tenth, less 1.
    """

    stage: str
    first_mb: float
    last_mb: float
    lowest_mb: float
    highest_mb: float
    growth: float
    drift: float
    samples: tuple[Sample, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured. The broker holds the results until they expire."""

    machine: Machine
    settings: Settings
    model: str
    frames: int
    faces: int
    stages: tuple[StageRow, ...]


def measure(settings: Settings, models: Path, tell: Tell) -> Measured:
    """Send the repeated clip through, and sample memory several times a second.

    Raises ReelmoodError when the clip or the model cannot be used.
    """
    source, machine = existing(settings.clip), describe_machine()
    with tempfile.TemporaryDirectory(prefix="reelmood-bench-") as folder:
        tell(f"{source.name} is repeated to {settings.frames} frames")
        path = loop_clip(source, Path(folder) / "looped.mp4", settings.frames)
        one = Pipeline(clips=(str(path),), model=settings.model, workers=settings.workers)
        with opened(one, models) as (running, _):
            clip, sampled = follow(running, path, settings.after, tell)
            model = running.model()
    if not sampled:
        raise ReelmoodError(f"nothing was seen from frame {settings.after} on: the clip is too short")
    stages = tuple(row_of(stage, samples) for stage, samples in sampled.items())
    return Measured(
        machine=machine, settings=settings, model=model, frames=clip.frames, faces=clip.done, stages=stages
    )


def follow(running: House, path: Path, after: int, tell: Tell) -> tuple[Clip, dict[str, list[Sample]]]:
    """Send a clip through; return it, and each stage's memory from frame `after` to the last one decoded."""
    sampled: dict[str, list[Sample]] = {}
    told = 0

    def look(clip: Clip) -> None:
        nonlocal told
        if clip.frames >= after and not clip.ingested:
            _sample(running, clip.frames, sampled)
        if clip.frames >= told + _TOLD:
            told = clip.frames
            tell(f"{told} frames")

    clip = running.wait_for(running.order(path), look)
    # At the last look ingest's process may have been gone already.
    return clip, {stage: samples[:-1] for stage, samples in sampled.items() if len(samples) > 1}


def _sample(running: House, frame: int, sampled: dict[str, list[Sample]]) -> None:
    resident = {"broker": running.broker_memory()}
    for member in running.members:
        resident[member.stage] = resident.get(member.stage, 0) + member.memory()
    for stage, size in resident.items():
        sampled.setdefault(stage, []).append(Sample(frame=frame, resident=size))


def row_of(stage: str, samples: list[Sample]) -> StageRow:
    """Return what a stage's samples say, at least one."""
    sizes = [sample.resident for sample in samples]
    tenth = max(1, len(sizes) // 10)
    first, last = median(sizes[:tenth]), median(sizes[-tenth:])
    return StageRow(
        stage=stage,
        first_mb=first / _MB,
        last_mb=last / _MB,
        lowest_mb=min(sizes) / _MB,
        highest_mb=max(sizes) / _MB,
        growth=max(sizes) / min(sizes) - 1,
        drift=last / first - 1,
        samples=tuple(samples),
    )
