"""The `fer` package, Haar cascade and quantised TFLite network, in a virtual environment of its own."""

import statistics
import subprocess
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.clips import existing
from benchmarks.machine import Machine, default_threads, describe_machine
from benchmarks.timing import Tell, read_repeatedly
from shared.errors import ClipError, ReelmoodError

PYTHON: Final = Path(__file__).resolve().parents[1] / ".venv-fer" / "bin" / "python"
"""Its interpreter, made by `make bench-fer`."""
_SCRIPT: Final = Path(__file__).with_name("fer_loop.py")
_VERSIONS: Final = (
    "import importlib.metadata as m; print(*(n + ' ' + m.version(n) for n in"
    " ('fer', 'tensorflow-cpu', 'opencv-contrib-python-headless')), sep=', ')"
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured, with which interpreter."""

    clips: tuple[str, ...]
    python: str = str(PYTHON)
    repeats: int = 3


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """A clip read once."""

    clip: str
    frames: int
    faces: int
    seconds: float


class ClipRow(msgspec.Struct, frozen=True, kw_only=True):
    """A clip, medians over the repeats."""

    clip: str
    frames: int
    faces: int
    frames_per_s: float
    faces_per_s: float
    frames_per_s_by_run: tuple[float, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured; `versions` are those of the rival."""

    machine: Machine
    settings: Settings
    versions: str
    clips: tuple[ClipRow, ...]


def measure(settings: Settings, tell: Tell) -> Measured:
    """Read each clip `repeats` times, and return the medians.

    Raises ReelmoodError when the environment of `fer` is not there, or it fails.
    """
    paths, versions = [existing(text) for text in settings.clips], find_versions(Path(settings.python))
    machine, rows = describe_machine(), []
    for path in paths:
        once = partial(read, path, Path(settings.python))
        rows.append(summarise(path.name, read_repeatedly(path.name, once, settings.repeats, tell)))
    return Measured(machine=machine, settings=settings, versions=versions, clips=tuple(rows))


def find_versions(python: Path) -> str:
    """Return the versions of the rival. Raises ReelmoodError when its environment is not there."""
    if not python.is_file():
        raise ReelmoodError(f"fer is not installed, there is no {python}: run `make bench-fer` first")
    return _run([str(python), "-c", _VERSIONS]).strip()


def read(path: Path, python: Path) -> Pass:
    """Read a clip once, in a new process. Raises ReelmoodError when it cannot be read."""
    # Isolated, or the script would find this module in its folder when it asks for the package.
    lines = _run([str(python), "-I", str(_SCRIPT), str(path.resolve())]).splitlines()
    run = msgspec.json.decode(lines[-1], type=Pass)
    if not run.frames:
        raise ClipError(f"OpenCV finds no frame in {path}")
    return run


def summarise(clip: str, runs: list[Pass]) -> ClipRow:
    """Return the medians of a clip's runs, at least one."""
    return ClipRow(
        clip=clip,
        frames=runs[0].frames,
        faces=runs[0].faces,
        frames_per_s=statistics.median(run.frames / run.seconds for run in runs),
        faces_per_s=statistics.median(run.faces / run.seconds for run in runs),
        frames_per_s_by_run=tuple(run.frames / run.seconds for run in runs),
    )


def _run(command: list[str]) -> str:
    answer = subprocess.run(command, env=default_threads(), capture_output=True, text=True, check=False)
    if answer.returncode:
        last = answer.stderr.strip().splitlines()[-1:] or [f"exit code {answer.returncode}"]
        raise ReelmoodError(f"fer does not run: {last[0]}")
    return answer.stdout
