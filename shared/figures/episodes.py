"""Episodes: stretches of time in which a track shows one emotion."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from shared.figures.durations import frame_durations

BRIDGED_S: Final = 0.5
"""Seconds without a reading of a track that do not end an episode."""


@dataclass(frozen=True)
class Episode:
    """A track's emotion from `start_s` to `end_s`, in seconds of presentation time.

    `confidence` is the mean over its readings, `peak` the highest, at `peak_s`.
    """

    track: int
    emotion: str
    start_s: float
    end_s: float
    confidence: float
    peak: float
    peak_s: float

    @property
    def length_s(self) -> float:
        """How long it lasts, in seconds."""
        return self.end_s - self.start_s


def read_faces(timeline: pd.DataFrame) -> pd.DataFrame:
    """Return a timeline's rows with an emotion, by track and frame, with `end_s` beside `time_s`.

    A face is seen from `time_s`, when its frame comes, until `end_s`, when the next frame of the clip does
    (`durations.frame_durations` says what holds for the last one).
    """
    frames = timeline.drop_duplicates("frame").sort_values("frame")
    shown = pd.Series(frame_durations(frames["time_s"]), index=frames["frame"])
    faces = timeline[timeline["emotion"].notna() & timeline["track"].notna()]
    until = faces["time_s"].to_numpy() + shown.loc[faces["frame"]].to_numpy()
    return faces.assign(end_s=until).sort_values(["track", "frame"], ignore_index=True)


def find_episodes(faces: pd.DataFrame) -> list[Episode]:
    """Return the episodes of `read_faces`, by their start, then track.

    An episode goes on while track and emotion stay the same, also over up to `BRIDGED_S` in which the track
    was not read, and ends with the last of its frames.
    """
    if faces.empty:
        return []
    track, emotion = faces["track"].to_numpy(np.int64), faces["emotion"].to_numpy(object)
    start_s, end_s = faces["time_s"].to_numpy(np.float64), faces["end_s"].to_numpy(np.float64)
    confidence = faces["confidence"].to_numpy(np.float64)
    breaks = (np.diff(track) != 0) | (emotion[1:] != emotion[:-1]) | (start_s[1:] - end_s[:-1] > BRIDGED_S)
    edges = [0, *(np.flatnonzero(breaks) + 1), len(track)]
    found = []
    for first, after in pairwise(edges):
        best = first + int(np.argmax(confidence[first:after]))
        found.append(
            Episode(
                track=int(track[first]),
                emotion=str(emotion[first]),
                start_s=float(start_s[first]),
                end_s=float(end_s[after - 1]),
                confidence=float(confidence[first:after].mean()),
                peak=float(confidence[best]),
                peak_s=float(start_s[best]),
            )
        )
    return sorted(found, key=lambda one: (one.start_s, one.track))
