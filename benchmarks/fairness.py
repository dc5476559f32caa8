"""Clips of very different length at once: how much longer each takes than it does alone."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from benchmarks.clips import existing, loop_clip
from benchmarks.house import House
from benchmarks.machine import Machine, describe_machine
from benchmarks.models import Choice
from benchmarks.pipeline import Settings as Pipeline
from benchmarks.pipeline import opened
from benchmarks.timing import Tell
from shared.errors import ReelmoodError
from shared.queues import clips
from shared.queues.clips import Clip, State

_LOOK_S: Final = 0.05


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: so many clips from `shortest` to `longest` frames, each longer by the same factor.

    They are made of `clip`, repeated. The shortest, the middle and the longest also go through alone,
    `repeats` times.
    """

    clip: str
    model: Choice = Choice()
    clips: int = 40
    shortest: int = 25
    longest: int = 1500
    workers: int = 1
    repeats: int = 3


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A clip: seconds from its order to its last file, together with the others and, median, alone."""

    frames: int
    together_s: float
    alone_s: float | None
    times: float | None
    """The first by the second."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    model: str
    rows: tuple[Row, ...]


def measure(settings: Settings, models: Path, tell: Tell) -> Measured:
    """Send the clips through, the longest ordered first. Raises ReelmoodError when one fails."""
    source, machine = existing(settings.clip), describe_machine()
    with tempfile.TemporaryDirectory(prefix="reelmood-bench-") as folder:
        lengths = lengths_of(settings)
        paths = {frames: loop_clip(source, Path(folder) / f"{frames}.mp4", frames) for frames in lengths}
        one = Pipeline(clips=(), model=settings.model, workers=settings.workers)
        with opened(one, models) as (running, _):
            running.wait_for(running.order(paths[lengths[0]]))
            alone = {
                frames: median(_alone_s(running, paths[frames]) for _ in range(settings.repeats))
                for frames in {lengths[0], lengths[len(lengths) // 2], lengths[-1]}
            }
            tell(f"alone: {', '.join(f'{frames} frames {alone[frames]:.1f} s' for frames in sorted(alone))}")
            together = _together_s(running, [paths[frames] for frames in reversed(lengths)])
            model = running.model()
    rows = rows_of(dict(zip(reversed(lengths), together, strict=True)), alone)
    return Measured(machine=machine, settings=settings, model=model, rows=rows)


def lengths_of(settings: Settings) -> list[int]:
    """Return the numbers of frames, ascending, all different."""
    factor = (settings.longest / settings.shortest) ** (1 / max(1, settings.clips - 1))
    lengths: list[int] = []
    for number in range(settings.clips):
        frames = round(settings.shortest * factor**number)
        lengths.append(max(frames, lengths[-1] + 1) if lengths else frames)
    return lengths


def rows_of(together_s: Mapping[int, float], alone_s: Mapping[int, float]) -> tuple[Row, ...]:
    """Return a row for each clip, by its number of frames, ascending."""
    return tuple(
        Row(
            frames=frames,
            together_s=together_s[frames],
            alone_s=alone_s.get(frames),
            times=together_s[frames] / alone_s[frames] if frames in alone_s else None,
        )
        for frames in sorted(together_s)
    )


def _alone_s(running: House, path: Path) -> float:
    clip = running.wait_for(running.order(path))
    return clip.finished_s - clip.created_s


def _together_s(running: House, paths: Sequence[Path]) -> list[float]:
    """Order clips at once, and return how long each took."""
    ids = [running.order(path) for path in paths]
    while True:
        running.check()
        known = {clip.id: clip for clip in clips.those(running.broker, ids)}
        if any(_failed(known.get(clip_id)) for clip_id in ids):
            raise ReelmoodError("a clip could not be analysed")
        if all(clip.state is State.DONE for clip in known.values()):
            return [known[clip_id].finished_s - known[clip_id].created_s for clip_id in ids]
        time.sleep(_LOOK_S)


def _failed(clip: Clip | None) -> bool:
    return clip is None or clip.state is State.FAILED
