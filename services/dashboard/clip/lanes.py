"""One lane per person: when the face is seen, and which emotion is on top."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from services.dashboard.view import View, tracks_of
from shared.people import People, name_of, person_of

MOST_LANES: Final = 60
"""Lanes that are drawn, of the persons with the most faces."""

_MOST_RUNS: Final = 6000
_BINS: Final = (60, 480)
_BRIDGED_S: Final = 0.5


@dataclass(frozen=True)
class Lane:
    """A person's way through the clip.

    `runs` are `(start, end, emotion)`, seconds and the index in `EMOTIONS`, in order.
    """

    person: int
    name: str
    tracks: tuple[int, ...]
    faces: int
    start_s: float
    end_s: float
    runs: tuple[tuple[float, float, int], ...]


def tracks_of_persons(view: View, people: People) -> dict[int, tuple[int, ...]]:
    """Return the tracks of each person of a view who is not hidden, by person, both in ascending order."""
    found: dict[int, list[int]] = {}
    for track in tracks_of(view):
        found.setdefault(person_of(people, track), []).append(track)
    return {person: tuple(found[person]) for person in sorted(found) if person not in people.hidden}


def hidden_persons(view: View, people: People) -> list[int]:
    """Return the hidden persons of a view, in ascending order."""
    return sorted({person_of(people, track) for track in tracks_of(view)} & people.hidden)


def persons_by_track(shown: Mapping[int, tuple[int, ...]]) -> "pd.Series[int]":
    """Return the person of each track, as `series.faces_of` takes it."""
    return pd.Series({track: person for person, tracks in shown.items() for track in tracks}, dtype="int64")


def lanes_of(view: View, people: People, end_s: float) -> list[Lane]:
    """Return the lanes of those who are not hidden, who came first at the top.

    Each lane shows the emotion that is most often on top in each of up to 480 steps of time between 0 and
    `end_s`; faces outside of that count for its ends. A face that is missed for up to half a second does not
    end a run.
    """
    shown = tracks_of_persons(view, people)
    person = persons_by_track(shown).reindex(view.track).to_numpy(np.float64)
    known = np.flatnonzero(~np.isnan(person))
    persons, lane, counts = np.unique(person[known], return_inverse=True, return_counts=True)
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_LANES])
    time_s, highest = view.time_s[known], view.probabilities[known].argmax(axis=1)
    bins = int(np.clip(_MOST_RUNS // max(len(kept), 1), *_BINS))
    width = max(end_s / bins, view.frame_s, 1e-3)
    lanes = []
    for index in kept:
        rows = lane == index
        times = time_s[rows]
        who = int(persons[index])
        lanes.append(
            Lane(
                person=who,
                name=name_of(people, who),
                tracks=shown[who],
                faces=int(counts[index]),
                start_s=float(times.min()),
                end_s=float(times.max()) + view.frame_s,
                runs=_runs(np.floor(np.clip(times, 0, end_s) / width).astype(np.int64), highest[rows], width),
            )
        )
    return sorted(lanes, key=lambda one: (one.start_s, one.person))


def _runs(steps: np.ndarray, emotions: np.ndarray, width: float) -> tuple[tuple[float, float, int], ...]:
    first = int(steps.min())
    counts = np.zeros((int(steps.max()) - first + 1, 7), np.int64)
    np.add.at(counts, (steps - first, emotions), 1)
    filled = np.flatnonzero(counts.any(axis=1))
    top = counts[filled].argmax(axis=1)
    bridged = np.diff(filled) * width <= max(_BRIDGED_S, 1.5 * width)
    breaks = np.flatnonzero(~bridged | (np.diff(top) != 0)) + 1
    starts, stops = np.append(0, breaks), np.append(breaks, len(filled))
    found = []
    for start, stop in zip(starts, stops, strict=True):
        goes_on = stop < len(filled) and bridged[stop - 1]
        until = filled[stop] if goes_on else filled[stop - 1] + 1
        found.append(
            (
                round(float((filled[start] + first) * width), 3),
                round(float((until + first) * width), 3),
                int(top[start]),
            )
        )
    return tuple(found)
