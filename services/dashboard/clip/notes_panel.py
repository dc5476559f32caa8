"""Notes at moments of a clip."""

import streamlit as st

from services.dashboard import status
from services.dashboard.clip import cursor
from services.dashboard.clip.saying import can_say, say
from services.dashboard.clip.shown import Shown
from services.dashboard.times import clock
from services.dashboard.view import View
from shared import people
from shared.people import LONGEST_NOTE, Note
from shared.queues.clips import Clip


def show(clip: Clip, view: View, shown: Shown) -> None:
    """Let the person write a note at the cursor, and show those that there are: go there, or erase."""
    if not can_say(clip, view):
        return
    time_s = cursor.position(clip)
    at = min(view.shots.values(), default=0.0) if time_s is None else time_s
    key = f"note-{clip.id}"

    def add() -> None:
        typed = st.session_state[key]
        if say(clip, lambda said: people.annotate(said, round(at, 3), typed)):
            st.session_state[key] = ""

    st.text_input(
        f"note at {clock(at, 1)}",
        key=key,
        max_chars=LONGEST_NOTE,
        placeholder="what happens at the cursor, Enter",
        on_change=add,
    )
    for number, note in enumerate(shown.people.notes):
        _note(clip, number, note)
    if not shown.people.notes:
        st.html(
            '<p class="rm-quiet">no notes yet: put the cursor where something happens, and write it down</p>'
        )


def _note(clip: Clip, number: int, note: Note) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"note-row-{number}"):
        st.button(
            clock(note.time_s, 1),
            key=f"note-go-{clip.id}-{number}",
            on_click=cursor.jump,
            args=(clip, note.time_s),
            icon=":material/play_arrow:",
        )
        st.markdown(status.plain(note.text))
        st.button(
            "erase",
            key=f"note-erase-{clip.id}-{number}",
            on_click=_erase,
            args=(clip, note),
            type="tertiary",
            icon=":material/delete:",
        )


def _erase(clip: Clip, note: Note) -> None:
    say(clip, lambda said: people.erase(said, note))
