"""Who is shown of a clip: the persons that are not hidden, by name."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.dashboard.clip.lanes import tracks_of_persons
from services.dashboard.view import View, main_tracks
from shared.people import People, name_of

MAIN: Final = "main face of each shot"
EVERYONE: Final = "all faces"

Who = int | str
"""A person, or one of the two words."""


@dataclass(frozen=True)
class Shown:
    """The tracks of each person who is shown, and what was said about them."""

    tracks: dict[int, tuple[int, ...]]
    people: People

    def name(self, who: Who) -> str:
        """Return what people call it."""
        return who if isinstance(who, str) else name_of(self.people, who)

    def chosen(self, view: View, who: Who) -> list[int]:
        """Return the tracks of a view that a choice stands for."""
        if isinstance(who, int):
            return list(self.tracks.get(who, ()))
        everyone = sorted(track for tracks in self.tracks.values() for track in tracks)
        if who == EVERYONE:
            return everyone
        rows = np.isin(view.track, everyone)
        return main_tracks(replace(view, track=view.track[rows], shot=view.shot[rows]))


def shown_of(view: View, people: People) -> Shown:
    """Return who is shown of a view."""
    return Shown(tracks_of_persons(view, people), people)
