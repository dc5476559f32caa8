"""The pipeline beside its rivals, in turn in one run: what else the machine does falls on all alike.

The rivals run in processes of their own, with the threads that they choose, while the services stand idle;
what it takes to start them does not count.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final, Literal, get_args

import msgspec

from benchmarks import fer, naive, pipeline
from benchmarks.machine import Machine, default_threads, describe_machine
from benchmarks.models import model_folder
from benchmarks.timing import Tell, ratios
from shared.errors import ReelmoodError

Rival = Literal["naive", "fer"]
RIVALS: Final[tuple[Rival, ...]] = get_args(Rival)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: `rounds` in which pipeline and rivals read each clip once."""

    pipeline: pipeline.Settings
    rivals: tuple[Rival, ...] = RIVALS
    rounds: int = 5
    fer_python: str = str(fer.PYTHON)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A clip beside a rival. `speedup` is the pipeline's frames/s by the rival's, median of the rounds."""

    clip: str
    rival: str
    frames_per_s: float
    rival_frames_per_s: float
    speedup: float
    lowest: float
    highest: float
    faces: int
    rival_faces: int
    speedup_by_round: tuple[float, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    model: str
    rows: tuple[Row, ...]
    clips: tuple[pipeline.ClipRow, ...]


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A clip read once by anybody."""

    frames: int
    faces: int
    seconds: float

    @property
    def frames_per_s(self) -> float:
        """How fast."""
        return self.frames / self.seconds


def measure(settings: Settings, models: Path, tell: Tell) -> Measured:
    """Have the pipeline and each rival read each clip, round by round, after a round that does not count.

    Raises ReelmoodError when a clip, the model or a rival cannot be used.
    """
    machine, ours = describe_machine(), settings.pipeline
    if "fer" in settings.rivals:
        fer.find_versions(Path(settings.fer_python))
    rows, clips = [], []
    with (
        pipeline.opened(ours, models) as (running, paths),
        tempfile.TemporaryDirectory(prefix="reelmood-bench-") as made,
    ):
        folder = model_folder(ours.model, models, Path(made))
        readers: dict[Rival, Callable[[Path], Read]] = {
            "naive": lambda path: _read_naively(path, folder),
            "fer": lambda path: _read_with_fer(path, Path(settings.fer_python)),
        }
        for label, path in paths.items():
            runs, theirs = [], {rival: list[Read]() for rival in settings.rivals}
            pipeline.run_clip(running, path)
            for number in range(1, settings.rounds + 1):
                runs.append(pipeline.run_clip(running, path))
                for rival in settings.rivals:
                    theirs[rival].append(readers[rival](path))
                tell(f"{label}, round {number} of {settings.rounds}")
            clips.append(pipeline.row_of(label, runs, ours.workers))
            read = [Read(frames=run.frames, faces=run.faces, seconds=run.seconds) for run in runs]
            rows += [row_of(label, rival, read, theirs[rival]) for rival in settings.rivals]
        model = running.model()
    return Measured(machine=machine, settings=settings, model=model, rows=tuple(rows), clips=tuple(clips))


def row_of(label: str, rival: str, mine: list[Read], theirs: list[Read]) -> Row:
    """Return the row of a clip and a rival; both lists hold one read for each round."""
    ours, others = [one.frames_per_s for one in mine], [one.frames_per_s for one in theirs]
    speedup, by_round = ratios(ours, others)
    return Row(
        clip=label,
        rival=rival,
        frames_per_s=median(ours),
        rival_frames_per_s=median(others),
        speedup=speedup,
        lowest=min(by_round),
        highest=max(by_round),
        faces=mine[0].faces,
        rival_faces=theirs[0].faces,
        speedup_by_round=by_round,
    )


def _read_naively(path: Path, model: Path) -> Read:
    command = [sys.executable, "-m", "services.cli", "bench", "naive", str(path), "--json"]
    command += ["--model", str(model), "--repeats", "1"]
    answer = subprocess.run(command, env=default_threads(), capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ReelmoodError(f"the naive loop does not run: {(answer.stderr.splitlines() or ['?'])[-1]}")
    (row,) = msgspec.json.decode(answer.stdout, type=naive.Measured).clips
    return Read(frames=row.frames, faces=row.faces, seconds=row.frames / row.frames_per_s)


def _read_with_fer(path: Path, python: Path) -> Read:
    run = fer.read(path, python)
    return Read(frames=run.frames, faces=run.faces, seconds=run.seconds)
