"""The geometry of a report's charts: numbers for SVG elements, in the units of their view box."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.emotions import COLOURS, EMOTIONS
from shared.figures.portraits import Course

WIDTH: Final = 1000
"""Units from the left of a chart to its right."""
HEIGHT: Final = 100
"""Units from the top of a stacked area, where all probabilities are summed up, to its foot."""

_STEPS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400)
_TICKS: Final = 5


@dataclass(frozen=True)
class Bar:
    """A stretch of a lane: from `x`, so `width` wide, in `colour`, and what it says when pointed at."""

    x: float
    width: float
    colour: str
    title: str


@dataclass(frozen=True)
class Area:
    """One emotion's part of a stacked area: the points of a polygon as SVG writes them."""

    colour: str
    title: str
    points: str


def clock(seconds: float) -> str:
    """Return a time as `m:ss.t`, or `h:mm:ss.t` from an hour on."""
    tenths = round(abs(seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    sign, clear = "-" if seconds < 0 and tenths else "", f"{rest // 10:02}.{rest % 10}"
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{clear}" if minutes >= 60 else f"{sign}{minutes}:{clear}"


def lane(course: Course) -> list[Bar]:
    """Return the likeliest emotion over the steps of a course, equal neighbours as one bar."""
    read = ~np.isnan(course.probabilities[:, 0])
    likeliest = np.where(read, np.nan_to_num(course.probabilities).argmax(axis=1), -1)
    bins = len(likeliest)
    edges = [0, *(np.flatnonzero(np.diff(likeliest)) + 1).tolist(), bins]
    step_s = (course.end_s - course.start_s) / bins
    bars = []
    for first, after in pairwise(edges):
        if likeliest[first] < 0:
            continue
        emotion = EMOTIONS[int(likeliest[first])]
        since, until = (clock(course.start_s + step_s * edge) for edge in (first, after))
        span = WIDTH * first / bins, WIDTH * (after - first) / bins
        bars.append(
            Bar(round(span[0], 1), round(span[1], 1), COLOURS[emotion], f"{emotion}, {since}–{until}")
        )
    return bars


def stacked_areas(course: Course) -> list[Area]:
    """Return the seven probabilities stacked, the first emotion at the foot; a step not read is a gap."""
    read = ~np.isnan(course.probabilities[:, 0])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], read, [False]]).astype(int)))
    return [area for a, b in zip(edges[::2], edges[1::2], strict=True) for area in _stack(course, a, b)]


def marks(times_s: list[float], start_s: float, end_s: float) -> list[float]:
    """Return where such times lie between the left and the right of a chart; those outside are left out."""
    length_s = end_s - start_s
    if length_s <= 0:
        return []
    return [round(WIDTH * (at - start_s) / length_s, 1) for at in times_s if start_s <= at <= end_s]


def ticks(start_s: float, end_s: float) -> list[tuple[float, str]]:
    """Return at most `_TICKS` + 1 times for an axis, at round seconds: per cent from its left, and label."""
    length_s = end_s - start_s
    if length_s <= 0:
        return []
    step_s = next((step for step in _STEPS_S if length_s / step <= _TICKS), length_s / _TICKS)
    times = np.arange(np.ceil(start_s / step_s - 1e-9), end_s / step_s + 1e-9) * step_s
    return [(round(100 * (float(at) - start_s) / length_s, 2), clock(float(at))) for at in times]


def _stack(course: Course, first: int, after: int) -> list[Area]:
    bins = len(course.probabilities)
    inside = course.probabilities[first:after]
    centres = np.concatenate([[first], np.arange(first, after) + 0.5, [after]]) * WIDTH / bins
    values = np.concatenate([inside[:1], inside, inside[-1:]])
    tops = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    heights = HEIGHT * (1 - np.minimum(tops, 1))
    return [
        Area(COLOURS[emotion], emotion, _polygon(centres, heights[:, index], heights[:, index + 1]))
        for index, emotion in enumerate(EMOTIONS)
    ]


def _polygon(x: NDArray[np.float64], foot: NDArray[np.float64], top: NDArray[np.float64]) -> str:
    there = zip(x, top, strict=True)
    back = zip(x[::-1], foot[::-1], strict=True)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in (*there, *back))
