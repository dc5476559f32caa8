"""Names for the faces of a clip: rename, merge, hide."""

from functools import partial
from zlib import crc32

import streamlit as st

from services.dashboard import status
from services.dashboard.clip import timeline
from services.dashboard.clip.choice import choose_from, is_latest, note_latest
from services.dashboard.clip.lanes import hidden_persons
from services.dashboard.clip.saying import can_say, say
from services.dashboard.clip.shown import MAIN, Shown
from services.dashboard.view import View
from shared import people
from shared.people import LONGEST_NAME
from shared.queues.clips import Clip


def show(clip: Clip, view: View, shown: Shown) -> None:
    """Let the person name, merge, split and hide the one whose lane is chosen."""
    if not can_say(clip, view):
        return
    if shown.tracks:
        person = _choose_person(clip, shown)
        name, merge, more = st.columns([3, 3, 2], vertical_alignment="bottom")
        with name:
            _name(clip, shown, person)
        with merge:
            _merge(clip, shown, person)
        with more:
            _more(clip, shown, person)
    _hidden(clip, view, shown)


def _choose_person(clip: Clip, shown: Shown) -> int:
    """Let the person choose a face, at first the one whose curves are shown."""
    lane = timeline.chosen(clip)
    at, lane_before, before = st.session_state.get("edited", ("", MAIN, -1))
    follows = isinstance(lane, int) and (at, lane_before) != (clip.id, lane)
    wanted = lane if follows else before if at == clip.id else -1
    person: int = wanted if wanted in shown.tracks else min(shown.tracks)
    st.session_state["edited"] = clip.id, lane, person
    choose_from(
        "face",
        list(shown.tracks),
        person,
        partial(_full_name, shown),
        shown,
        f"person-{clip.id}",
        lambda chosen: _edit(clip, chosen),
    )
    return person


def _edit(clip: Clip, person: int) -> None:
    st.session_state["edited"] = clip.id, timeline.chosen(clip), person


def _full_name(shown: Shown, person: int) -> str:
    tracks = shown.tracks[person]
    which = f"track {person}" if len(tracks) == 1 else f"tracks {', '.join(map(str, tracks))}"
    name = shown.name(person)
    return which if name == which else f"{name} · {which}"


def _name(clip: Clip, shown: Shown, person: int) -> None:
    held = shown.people.names.get(person, "")
    # A browser that is behind still says what stood in the field before, which would be taken for a new name:
    # each name has a field of its own, and the latest counts.
    place = f"name-{clip.id}-{person}"
    key = f"{place}-{crc32(held.encode()):08x}"

    def rename() -> None:
        typed = st.session_state[key]
        if is_latest(place, key):
            say(clip, lambda said: people.rename(said, person, typed))

    note_latest(place, key)
    with st.container(key=place):
        st.text_input(
            "name",
            held,
            key=key,
            max_chars=LONGEST_NAME,
            placeholder="give it a name, Enter",
            on_change=rename,
        )


def _merge(clip: Clip, shown: Shown, person: int) -> None:
    key = f"merge-{clip.id}-{person}"
    others = [other for other in shown.tracks if other != person]

    def merge() -> None:
        other = st.session_state[key]
        if other is not None and say(clip, lambda said: people.merge(said, person, other)):
            _keep_choice(clip, other)

    st.selectbox(
        "is the same as",
        others,
        index=None,
        format_func=partial(_full_name, shown),
        placeholder="another face" if others else "there is no other face",
        key=key,
        on_change=merge,
        disabled=not others,
    )


def _more(clip: Clip, shown: Shown, person: int) -> None:
    def hide() -> None:
        if say(clip, lambda said: people.hide(said, person, True)) and timeline.chosen(clip) == person:
            timeline.choose(clip, MAIN)

    def split() -> None:
        say(clip, lambda said: people.split(said, person))

    with st.container(horizontal=True):
        st.button("hide", key=f"hide-{clip.id}", on_click=hide, icon=":material/visibility_off:")
        if len(shown.tracks[person]) > 1:
            st.button("split", key=f"split-{clip.id}", on_click=split, icon=":material/call_split:")


def _hidden(clip: Clip, view: View, shown: Shown) -> None:
    hidden = hidden_persons(view, shown.people)
    if not hidden:
        return
    st.html('<p class="rm-quiet">hidden: a click brings them back</p>')
    with st.container(horizontal=True):
        for person in hidden:
            st.button(
                status.plain(shown.name(person)),
                key=f"unhide-{clip.id}-{person}",
                on_click=_unhide,
                args=(clip, person),
                icon=":material/visibility:",
            )


def _unhide(clip: Clip, person: int) -> None:
    say(clip, lambda said: people.hide(said, person, False))


def _keep_choice(clip: Clip, person: int) -> None:
    """Keep a person chosen who has taken another one in."""
    if isinstance(timeline.chosen(clip), int):
        timeline.choose(clip, person)
    _edit(clip, person)
