"""The page of a clip, live or finished. It renews itself twice a second and changes only what changed."""

import time
from pathlib import Path
from typing import Final

import streamlit as st

from services.dashboard import status
from services.dashboard.clip import cursor, faces_panel, notes_panel, people_panel, summary_panel, timeline
from services.dashboard.clip.shown import Shown, shown_of
from services.dashboard.readers import progress_of
from services.dashboard.session import House, chosen_clip, look, read
from services.dashboard.view import View
from shared.errors import DataError
from shared.people import People, load
from shared.queues.clips import Clip, State
from shared.settings import Settings

UPDATE_S: Final = 0.5
_TABS: Final = ("At the cursor", "Summary", "People", "Notes")


@st.fragment(run_every=UPDATE_S)
def clip_page(settings: Settings) -> None:
    """Show the house's state and the chosen clip: progress, video and timeline, faces, people, figures."""
    house = look(settings)
    st.html(status.chips(status.facts(house.survey), house.problem))
    clip = chosen_clip(house.clips)
    if clip is not None:
        _clip(settings, house, clip)
    elif house.clips:
        st.html(status.empty("this clip is not here", "choose another one from the list"))
    elif house.problem:
        st.html(status.empty("waiting for the broker", house.problem))
    else:
        st.html(status.empty("no clip yet", f"drop a clip into {settings.incoming.resolve()}"))
    if house.survey.services:
        with st.expander("services", key="services"):
            st.html(status.services(house.survey.services))


def _clip(settings: Settings, house: House, clip: Clip) -> None:
    st.html(status.headline(clip, progress_of(clip, time.time())))
    view, problem = read(house.broker, clip)
    people, complaint = _people(clip, view)
    for text in (problem, complaint, clip.error, clip.held):
        if text:
            st.html(status.note(text))
    if len(view.time_s):
        _seen(settings, clip, view, shown_of(view, people))
    elif clip.state is State.DONE:
        st.html(status.note("no face was found in this clip"))
    elif clip.state is not State.FAILED:
        st.html(status.note("the timeline appears with the first face"))


def _seen(settings: Settings, clip: Clip, view: View, shown: Shown) -> None:
    if view.last_frame >= 1:  # a picture has no timeline
        cursor.follow_link(clip)
        timeline.show(settings, clip, view, shown)
    with st.container(key="clip-tabs"):
        faces, summary, people, notes = st.tabs(_TABS, key=f"tabs-{clip.id}", on_change="rerun")
    if faces.open:
        with faces:
            faces_panel.show(clip, view, shown)
    if summary.open:
        with summary:
            summary_panel.show(clip, view, shown)
    if people.open:
        with people:
            people_panel.show(clip, view, shown)
    if notes.open:
        with notes:
            notes_panel.show(clip, view, shown)


def _people(clip: Clip, view: View) -> tuple[People, str]:
    """Return what was said about the people of a clip, and what is wrong, if anything."""
    if not (view.archived and clip.out):
        return People(), ""
    try:
        return load(Path(clip.out)), ""
    except DataError as error:
        return People(), str(error)
