"""The explained faces of a clip: those at the cursor, and the best of each person."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from services.dashboard.archive import read_face
from services.dashboard.view import Answer, Moment, View
from shared.errors import ReelmoodError

REACH_S: Final = 1.0
"""Seconds between the cursor and a face that is still shown for it."""

_MOST: Final = 12
_THUMBNAILS: Final = "thumbnails"

Persons = Mapping[int, tuple[int, ...]]


def faces_at(view: View, time_s: float | None, shown: Persons) -> list[tuple[Moment, Answer | None]]:
    """Return each person's explained face that is nearest to a time, by person, at most 12.

    `shown` has the tracks of each person; `time_s` is in seconds, None: the latest ones. Faces more than a
    second away are left out. Raises ReelmoodError where the files cannot be read.
    """
    if view.explained is not None:
        indices = _nearest(view, view.last_s if time_s is None else time_s, shown)
        return [read_face(view.explained, index) for index in indices[:_MOST]]
    found = []
    for tracks in shown.values():
        held = [view.moments[track] for track in tracks if track in view.moments]
        moment = max(held, key=lambda one: one.frame, default=None)
        if moment is not None and (time_s is None or abs(moment.time_s - time_s) <= REACH_S):
            found.append((moment, view.answers.get(moment.track)))
    return sorted(found, key=lambda pair: (-pair[0].shot, pair[0].track))[:_MOST]


def best_faces(view: View, shown: Persons, folder: Path | None) -> dict[int, bytes]:
    """Return the best picture of each person, a JPEG, by person; one of whom there is none is left out.

    Those of a finished clip are its thumbnails, in `folder`.
    """
    if folder is None or not view.archived:
        surest = {
            person: max(
                (view.best[track] for track in tracks if track in view.best), key=_sureness, default=None
            )
            for person, tracks in shown.items()
        }
        return {person: one.explanation.aligned for person, one in surest.items() if one is not None}
    found = {}
    for person, tracks in shown.items():
        paths = (folder / _THUMBNAILS / f"track-{track:04}.jpg" for track in (person, *tracks))
        if (path := next((each for each in paths if each.is_file()), None)) is not None:
            found[person] = path.read_bytes()
    return found or _surest(view, shown)


def _surest(view: View, shown: Persons) -> dict[int, bytes]:
    """Return pictures of a clip whose results were written without thumbnails."""
    found = {}
    if view.explained is not None:
        confidence = view.explained.probabilities.max(axis=1, initial=0.0)
        for person, tracks in shown.items():
            rows = np.flatnonzero(np.isin(view.explained.track, tracks))
            if len(rows):
                try:
                    moment, _ = read_face(view.explained, int(rows[confidence[rows].argmax()]))
                except ReelmoodError:
                    continue
                found[person] = moment.explanation.aligned
    return found


def _nearest(view: View, time_s: float, shown: Persons) -> list[int]:
    """Return the indices of the explained faces nearest to a time, one for each person who is near."""
    if view.explained is None:
        return []
    times = view.explained.time_s
    low, high = np.searchsorted(times, (time_s - REACH_S, time_s + REACH_S))
    found = []
    for tracks in shown.values():
        rows = low + np.flatnonzero(np.isin(view.explained.track[low:high], tracks))
        if len(rows):
            found.append(int(rows[np.abs(times[rows] - time_s).argmin()]))
    return found


def _sureness(moment: Moment) -> float:
    return max(moment.probabilities)
