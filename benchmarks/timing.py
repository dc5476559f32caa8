"""Times calls, several of them in turn, so that what else the machine does falls on all alike."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec
import numpy as np

Tell = Callable[[str], None]
"""Told of each finished part of a measurement, in words."""


class Run(Protocol):
    """A clip read once."""

    @property
    def frames(self) -> int:
        """How many frames were decoded."""

    @property
    def seconds(self) -> float:
        """How long that took."""


R = TypeVar("R", bound=Run)


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How long a call took: median, 5th and 95th percentile of all repeats, in seconds."""

    median_s: float
    p05_s: float
    p95_s: float
    repeats: int


def summarise(seconds: Sequence[float]) -> Times:
    """Return what is told of measured seconds, at least one."""
    return Times(
        median_s=statistics.median(seconds),
        p05_s=percentile(seconds, 5),
        p95_s=percentile(seconds, 95),
        repeats=len(seconds),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` percent of the values lie, interpolated linearly."""
    return float(np.percentile(np.asarray(values, np.float64), share))


def time_in_turn(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of `repeats` calls of each function: one of each in a round, after a first round
    that is not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(repeats + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def ratios(one: Sequence[float], other: Sequence[float]) -> tuple[float, tuple[float, ...]]:
    """Return by how much `one` exceeds `other`: the median over the rounds, and each round's own ratio."""
    by_round = tuple(mine / theirs for mine, theirs in zip(one, other, strict=True))
    return statistics.median(by_round), by_round


def read_repeatedly(clip: str, read: Callable[[], R], repeats: int, tell: Tell) -> list[R]:
    """Read a clip so many times, and tell how fast each time was."""
    runs: list[R] = []
    for number in range(1, repeats + 1):
        runs.append(read())
        tell(f"{clip}: {runs[-1].frames / runs[-1].seconds:.1f} frames/s, run {number}")
    return runs
