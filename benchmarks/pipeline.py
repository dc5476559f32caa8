"""Clips through the whole pipeline: how fast, where the time goes, and which stage the others wait for."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import msgspec
import psutil

from benchmarks.clips import existing, scale_clip
from benchmarks.gallery import write_gallery
from benchmarks.house import House, whole_house, worker_commands
from benchmarks.machine import Machine, describe_machine
from benchmarks.models import Choice, model_folder
from benchmarks.timing import Tell, percentile
from shared.queues import counters
from shared.queues.clips import Clip, State
from shared.queues.latency import passage
from shared.settings import load_settings


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured. `explain_every_s` is 0 for a Grad-CAM and neighbours of every face.

    With `wait_ms` the workers' model only waits so long for a face: what is left is the rest's ceiling.
    `gallery` is the number of faces among which neighbours are looked for; `hd` adds a version of each clip
    in 1280×720.
    """

    clips: tuple[str, ...]
    model: Choice = Choice()
    workers: int = 1
    wait_ms: float | None = None
    repeats: int = 5
    explain_every_s: float = 0.5
    gallery: int = 10_000
    hd: bool = False


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A clip that went through once. `seconds` runs from its order to its last result.

    `files_s` is what its files took from there on. `steps_s` are the seconds of each step by `stage step`,
    `cpu_s` the processor seconds of each stage.
    """

    frames: int
    faces: int
    explained: int
    seconds: float
    files_s: float
    latencies_s: tuple[float, ...]
    steps_s: dict[str, float]
    cpu_s: dict[str, float]


class StageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stage's step. `ms_a_frame` is the time of all its processes; a stage as a whole has no `step`.

    `busy` is the share of the time in which a process of the stage computed (processor time).
    """

    clip: str
    stage: str
    step: str
    ms_a_frame: float
    busy: float | None


class ClipRow(msgspec.Struct, frozen=True, kw_only=True):
    """A clip, medians over all runs. The bottleneck is the stage whose processes are busiest.

    `cores_busy` is the share of the machine's cores that the pipeline used: near 1, more processes would not
    help. `files_s` is what the files took after the last result. Latencies are those of all faces of all
    runs, from the decoder to a result that can be read.
    """

    clip: str
    frames: int
    faces: int
    explained: int
    frames_per_s: float
    faces_per_s: float
    bottleneck: str
    cores_busy: float
    latency_p50_s: float | None
    latency_p95_s: float | None
    files_s: float
    frames_per_s_by_run: tuple[float, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    model: str
    clips: tuple[ClipRow, ...]
    stages: tuple[StageRow, ...]


def measure(settings: Settings, models: Path, tell: Tell) -> Measured:
    """Analyse each clip `repeats` times, after once that does not count, and return the medians.

    Raises ReelmoodError when a clip or the model cannot be used.
    """
    machine = describe_machine()
    with opened(settings, models) as (running, paths):
        runs: dict[str, list[Run]] = {label: [] for label in paths}
        for number in range(settings.repeats + 1):
            for label, path in paths.items():
                run = run_clip(running, path)
                if number:
                    runs[label].append(run)
                    tell(f"{label}: {run.frames / run.seconds:.1f} frames/s, run {number}")
        model = running.model()
    clips = tuple(row_of(label, done, settings.workers) for label, done in runs.items())
    stages = tuple(row for label, done in runs.items() for row in stage_rows(label, done, settings.workers))
    return Measured(machine=machine, settings=settings, model=model, clips=clips, stages=stages)


@contextmanager
def opened(settings: Settings, models: Path) -> Iterator[tuple[House, dict[str, Path]]]:
    """Run the pipeline in a temporary home; yields it with the clips, by the labels of their rows."""
    with tempfile.TemporaryDirectory(prefix="reelmood-bench-") as name:
        home = Path(name)
        paths = _clips(settings, home)
        folder = model_folder(settings.model, models, home / "models")
        write_gallery(home / "gallery", folder, settings.gallery, settings.model.seed)
        base = load_settings(home=home, model=str(folder), explain_every_s=settings.explain_every_s)
        with whole_house(base, worker_commands(settings.workers, settings.wait_ms)) as running:
            yield running, paths


def run_clip(running: House, path: Path) -> Run:
    """Send a clip through once. Raises ReelmoodError when it fails."""
    before_s, steps_before = _cpu(running), _steps(running)
    after_s: dict[str, float] = {}

    def look(clip: Clip) -> None:
        if not after_s and clip.state in (State.FINISHING, State.DONE):
            after_s.update(_cpu(running))

    clip = running.wait_for(running.order(path), look)
    through = passage(running.broker, clip.id)
    return Run(
        frames=clip.frames,
        faces=clip.done,
        explained=clip.explained,
        seconds=through.last_result_s - clip.created_s,
        files_s=clip.finished_s - through.last_result_s,
        latencies_s=through.latencies_s,
        steps_s={name: spent - steps_before.get(name, 0.0) for name, spent in _steps(running).items()},
        cpu_s={stage: spent - before_s[stage] for stage, spent in after_s.items()},
    )


def row_of(label: str, runs: Sequence[Run], workers: int) -> ClipRow:
    """Return the medians of a clip's runs, at least one."""
    busy = _busy(runs, workers)
    latencies = [latency for run in runs for latency in run.latencies_s]
    cores = psutil.cpu_count() or 1
    return ClipRow(
        clip=label,
        frames=runs[0].frames,
        faces=runs[0].faces,
        explained=runs[0].explained,
        frames_per_s=median(run.frames / run.seconds for run in runs),
        faces_per_s=median(run.faces / run.seconds for run in runs),
        bottleneck=max(busy, key=lambda stage: busy[stage]),
        cores_busy=median(sum(run.cpu_s.values()) / run.seconds / cores for run in runs),
        latency_p50_s=percentile(latencies, 50) if latencies else None,
        latency_p95_s=percentile(latencies, 95) if latencies else None,
        files_s=median(run.files_s for run in runs),
        frames_per_s_by_run=tuple(run.frames / run.seconds for run in runs),
    )


def stage_rows(label: str, runs: Sequence[Run], workers: int) -> list[StageRow]:
    """Return a row for each stage of a clip's runs, and one for each of its steps."""
    rows = []
    for stage, busy in _busy(runs, workers).items():
        spent = median(run.cpu_s[stage] / run.frames for run in runs)
        rows.append(StageRow(clip=label, stage=stage, step="", ms_a_frame=1000 * spent, busy=busy))
        steps = sorted({name for run in runs for name in run.steps_s if name.startswith(f"{stage} ")})
        for name in steps:
            spent = median(run.steps_s.get(name, 0.0) / run.frames for run in runs)
            step = name.removeprefix(f"{stage} ")
            rows.append(StageRow(clip=label, stage=stage, step=step, ms_a_frame=1000 * spent, busy=None))
    return rows


def _busy(runs: Sequence[Run], workers: int) -> dict[str, float]:
    """Return the share of the time in which a stage's process computed, by stage."""
    processes = {"worker": workers}
    return {
        stage: median(run.cpu_s[stage] / run.seconds / processes.get(stage, 1) for run in runs)
        for stage in runs[0].cpu_s
    }


def _cpu(running: House) -> dict[str, float]:
    spent = {"broker": running.broker_cpu_s()}
    for member in running.members:
        spent[member.stage] = spent.get(member.stage, 0.0) + member.cpu_s()
    return spent


def _steps(running: House) -> dict[str, float]:
    """Return the seconds of all steps so far, by `stage step`."""
    spent = {
        f"{stage} {step}": seconds for (stage, step), seconds in counters.read(running.broker).seconds.items()
    }
    for stage in ("worker", "retrieval"):
        for member in running.of(stage):
            for step, seconds in member.steps().items():
                spent[f"{stage} {step}"] = spent.get(f"{stage} {step}", 0.0) + seconds
    return spent


def _clips(settings: Settings, home: Path) -> dict[str, Path]:
    paths = {}
    for number, text in enumerate(settings.clips):
        path = existing(text)
        paths[path.name] = path
        if settings.hd:
            paths[f"{path.stem} 1280x720"] = scale_clip(path, home / f"hd-{number}.mp4")
    return paths
