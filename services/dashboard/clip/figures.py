"""A clip in figures: each person's share of every emotion, strongest moments, transitions."""

from dataclasses import dataclass
from typing import Final

from services.dashboard.clip.lanes import persons_by_track
from services.dashboard.clip.series import faces_of
from services.dashboard.clip.shown import Shown
from services.dashboard.view import View
from shared.figures.episodes import Episode, find_episodes
from shared.figures.portraits import shares, strongest, transitions

MOST_PERSONS: Final = 24
"""Persons whose shares are shown, those seen longest."""

_MOST_TRANSITIONS: Final = 8


@dataclass(frozen=True)
class Figures:
    """`persons` are (person, seconds seen, share of each emotion), the one seen longest first.

    `moments` hold a person in the place of a track, `changes` are (from, to, times).
    """

    persons: list[tuple[int, float, dict[str, float]]]
    moments: list[Episode]
    changes: list[tuple[str, str, int]]


def figures_of(view: View, shown: Shown) -> Figures:
    """Return the figures of those who are shown of a view."""
    faces = faces_of(view, persons_by_track(shown.tracks))
    seen = [
        (int(rows["track"].iloc[0]), float((rows["end_s"] - rows["time_s"]).sum()), shares(rows))
        for _, rows in faces.groupby("track")
    ]
    episodes = find_episodes(faces)
    return Figures(
        persons=sorted(seen, key=lambda one: (-one[1], one[0]))[:MOST_PERSONS],
        moments=strongest(episodes),
        changes=transitions(episodes)[:_MOST_TRANSITIONS],
    )
