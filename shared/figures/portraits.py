"""What a report of a clip tells: each track's share of every emotion and its course, moments, transitions."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.figures.episodes import Episode

BRIEF_S: Final = 0.2
"""Seconds below which an episode is a flicker: no moment, no transition."""
BINS: Final = 240
"""Most steps of a curve or a lane: more than a screen shows side by side."""

_PER_EMOTION: Final = 2
_PROBABILITIES: Final = [f"p_{emotion}" for emotion in EMOTIONS]


@dataclass(frozen=True)
class Course:
    """How a track goes between `start_s` and `end_s`: mean probabilities [B, 7] in B equal steps of time.

    A step without a reading is NaN.
    """

    start_s: float
    end_s: float
    probabilities: NDArray[np.float64]


@dataclass(frozen=True)
class Portrait:
    """A track: when it is seen, for how many seconds it was read, and its shares of emotions, which sum to 1.

    `lane` runs over the clip, `course` over the track.
    """

    track: int
    start_s: float
    end_s: float
    seen_s: float
    shares: dict[str, float]
    lane: Course
    course: Course


def portraits(faces: pd.DataFrame, start_s: float, end_s: float) -> list[Portrait]:
    """Return the tracks of `episodes.read_faces`, the one seen longest first; the clip runs as given."""
    found = []
    for _, rows in faces.groupby("track"):
        first, last = float(rows["time_s"].iloc[0]), float(rows["end_s"].iloc[-1])
        found.append(
            Portrait(
                track=int(rows["track"].iloc[0]),
                start_s=first,
                end_s=last,
                seen_s=float((rows["end_s"] - rows["time_s"]).sum()),
                shares=shares(rows),
                lane=course(rows, start_s, end_s),
                course=course(rows, first, last, min(BINS, (len(rows) + 1) // 2)),
            )
        )
    return sorted(found, key=lambda one: (-one.seen_s, one.track))


def shares(rows: pd.DataFrame) -> dict[str, float]:
    """Return the share of each emotion in the time of such rows, which are not empty."""
    weights, emotions = _weights(rows), rows["emotion"].to_numpy(object)
    return {each: float(weights[emotions == each].sum() / weights.sum()) for each in EMOTIONS}


def course(rows: pd.DataFrame, start_s: float, end_s: float, bins: int = BINS) -> Course:
    """Return the course of one track's rows in so many steps; a reading counts where its frame comes."""
    width = (end_s - start_s) / bins
    offsets = rows["time_s"].to_numpy(np.float64) - start_s
    steps = np.clip((offsets / width if width > 0 else np.zeros(len(rows))).astype(int), 0, bins - 1)
    weights = _weights(rows)
    total = np.bincount(steps, weights, bins)
    sums = [np.bincount(steps, weights * rows[name].to_numpy(np.float64), bins) for name in _PROBABILITIES]
    with np.errstate(invalid="ignore"):
        means = np.stack(sums, axis=1) / total[:, None]
    return Course(start_s, end_s, means)


def strongest(episodes: Iterable[Episode], count: int = 12) -> list[Episode]:
    """Return the episodes with the highest peaks, by time: none neutral, none a flicker.

    Of each track and emotion at most two are taken, so that one face does not fill the list.
    """
    taken: Counter[tuple[int, str]] = Counter()
    chosen: list[Episode] = []
    for one in sorted(episodes, key=lambda each: (-each.peak, each.start_s, each.track)):
        flicker = one.length_s < BRIEF_S
        if one.emotion == "neutral" or flicker or taken[one.track, one.emotion] == _PER_EMOTION:
            continue
        taken[one.track, one.emotion] += 1
        chosen.append(one)
    return sorted(chosen[:count], key=lambda one: (one.peak_s, one.track))


def transitions(episodes: Iterable[Episode]) -> list[tuple[str, str, int]]:
    """Return how often tracks go from one emotion to another, `(from, to, times)`, the most frequent first.

    Flickers are passed over: happy, a flicker of fear, happy is no transition.
    """
    tracks: dict[int, list[str]] = defaultdict(list)
    for one in episodes:
        if one.length_s >= BRIEF_S:
            tracks[one.track].append(one.emotion)
    counts = Counter(pair for emotions in tracks.values() for pair in _changes(emotions))
    return [(before, after, times) for (before, after), times in sorted(counts.items(), key=_by_count)]


def stretches(times: pd.DataFrame) -> list[tuple[float, float]]:
    """Return from when to when a clip shows no face, in seconds.

    `times` has one row per frame: `time_s`, `end_s` and the boolean `has_face`.
    """
    empty = ~times["has_face"].to_numpy(bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], empty, [False]]).astype(int)))
    start_s, end_s = times["time_s"].to_numpy(np.float64), times["end_s"].to_numpy(np.float64)
    return [(float(start_s[a]), float(end_s[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _changes(emotions: Sequence[str]) -> list[tuple[str, str]]:
    return [(before, after) for before, after in pairwise(emotions) if before != after]


def _by_count(item: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -item[1], item[0]


def _weights(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the seconds for which each row's frame is shown, or ones where none is (a picture)."""
    weights = (rows["end_s"] - rows["time_s"]).to_numpy(np.float64)
    return weights if weights.sum() > 0 else np.ones(len(rows))
