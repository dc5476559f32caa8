"""The faces at the cursor: aligned face, Grad-CAM, confidence bars, nearest neighbours."""

from typing import Final

import streamlit as st

from services.dashboard import cards, status
from services.dashboard.clip import cursor
from services.dashboard.clip.moments import faces_at
from services.dashboard.clip.shown import Shown
from services.dashboard.times import clock
from services.dashboard.view import Answer, Moment, View
from shared.errors import ReelmoodError
from shared.people import name_of
from shared.queues.clips import Clip

_STRENGTHS: Final = tuple(range(0, 101, 10))


def show(clip: Clip, view: View, shown: Shown) -> None:
    """Show the explained faces at the cursor; of a clip under way that are not kept any more, the latest."""
    time_s = cursor.position(clip)
    if time_s is None and view.archived:
        time_s = min(view.shots.values(), default=0.0)
    try:
        found = faces_at(view, time_s, shown.tracks)
    except ReelmoodError as error:
        st.html(status.note(str(error)))
        return
    if not found:
        st.html(status.note(_nobody(view, time_s)))
        found = [] if view.archived else faces_at(view, None, shown.tracks)
    if found:
        _faces(clip, shown, found)


def _faces(clip: Clip, shown: Shown, found: list[tuple[Moment, Answer | None]]) -> None:
    strength = st.select_slider(
        "where the model looked",
        _STRENGTHS,
        value=60,
        format_func=lambda percent: f"{percent} %" if percent else "off",
        key="strength",
        width=320,
    )
    names = {moment.track: name_of(shown.people, moment.track) for moment, _ in found}
    st.html(cards.faces(clip.id, found, names, strength / 100))


def _nobody(view: View, time_s: float | None) -> str:
    if time_s is None:
        return "the first explained face is still to come"
    nobody = f"no explained face within a second of {clock(time_s, 1)}"
    return nobody if view.archived else f"{nobody}; while a clip is read, its latest faces are shown"
