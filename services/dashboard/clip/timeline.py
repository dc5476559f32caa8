"""The player of a clip with its choices: whose face, how it is drawn, how smooth."""

from functools import partial
from pathlib import Path
from typing import Any, Final

import streamlit as st

from services.dashboard.clip import cursor, footage, player
from services.dashboard.clip.choice import choose_from
from services.dashboard.clip.lanes import lanes_of
from services.dashboard.clip.moments import best_faces
from services.dashboard.clip.payload import Look, noted, payload, screen, with_faces
from services.dashboard.clip.shown import EVERYONE, MAIN, Shown, Who
from services.dashboard.times import horizon
from services.dashboard.view import View, series_of
from shared.queues.clips import Clip, State
from shared.settings import Settings

_SMOOTHING_S: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)


def show(settings: Settings, clip: Clip, view: View, shown: Shown) -> None:
    """Show the player of a clip, and let the person choose what its timeline shows."""
    key = f"player-{clip.id}"
    playing = st.container()
    with st.container(horizontal=True, key="choices"):
        who = _choose_who(clip, shown)
        stacked = _choose_style()
        smoothing_s = _choose_smoothing()
    window = st.session_state.get("window", {}).get(clip.id)
    look = Look(stacked, smoothing_s, window)
    data = {
        **_drawing(clip, view, shown, who, look),
        **_screen(settings, clip),
        "who": shown.name(who),
        "chosen": who if isinstance(who, int) else None,
        "notes": noted(shown.people.notes),
        "seek": cursor.pending_jump(clip),
    }
    with playing:
        player.show(
            key,
            data,
            on_time=lambda: _note_time(clip, key),
            on_lane=lambda: _note_lane(clip, key),
            on_window=lambda: _note_window(clip, key),
        )


def choose(clip: Clip, who: Who) -> None:
    """Choose whose face the timeline of a clip shows."""
    st.session_state["who"] = clip.id, who


def chosen(clip: Clip) -> Who:
    """Return whose face the timeline of a clip shows."""
    at, who = st.session_state.get("who", ("", MAIN))
    return who if at == clip.id else MAIN


def _choose_who(clip: Clip, shown: Shown) -> Who:
    options: list[Who] = [MAIN, EVERYONE, *shown.tracks]
    who = chosen(clip) if chosen(clip) in options else MAIN
    choose_from("curves of", options, who, shown.name, shown, f"who-{clip.id}", partial(choose, clip))
    return who


def _choose_style() -> bool:
    style = st.segmented_control(
        "drawn as", ["stacked", "lines"], default="stacked", required=True, key="style"
    )
    return style != "lines"


def _choose_smoothing() -> float:
    return st.select_slider(
        "smoothed over",
        _SMOOTHING_S,
        format_func=lambda width: f"{width:g} s" if width else "nothing",
        key="smoothing",
        width=240,
    )


def _drawing(clip: Clip, view: View, shown: Shown, who: Who, look: Look) -> dict[str, Any]:
    """Return what is drawn; it is not worked out again while nothing new has come."""
    key = view.clip, len(view.time_s), view.last_frame, view.archived, who, look, shown
    held: tuple[object, dict[str, Any]] = st.session_state.get("drawing", (None, {}))
    if held[0] == key:
        return held[1]
    expected = 0 if view.archived else clip.frames_expected
    end_s = horizon(view.last_s, view.frame_s, expected, clip.state is State.RUNNING)
    lanes = lanes_of(view, shown.people, end_s)
    data = payload(view, series_of(view, shown.chosen(view, who)), lanes, end_s, look)
    faces = best_faces(view, shown.tracks, Path(clip.out) if clip.out else None)
    data["lanes"] = with_faces(data["lanes"], faces)
    st.session_state["drawing"] = key, data
    return data


def _screen(settings: Settings, clip: Clip) -> dict[str, Any]:
    """Return what there is to play; files are looked for anew when the clip's state changes."""
    key = clip.id, clip.state, clip.path, clip.out
    held: tuple[object, dict[str, Any]] = st.session_state.get("screen", (None, {}))
    if held[0] != key:
        blurred = clip.blur or settings.blur
        held = key, screen(clip, footage.versions(settings, clip), blurred)
        st.session_state["screen"] = held
    return held[1]


def _note_time(clip: Clip, key: str) -> None:
    time_s = st.session_state[key].get("time")
    if time_s is not None:
        cursor.note_position(clip, float(time_s))


def _note_lane(clip: Clip, key: str) -> None:
    clicked = st.session_state[key].get("lane")
    if clicked is not None:
        person = int(clicked[0])
        choose(clip, MAIN if person < 0 else person)


def _note_window(clip: Clip, key: str) -> None:
    part = st.session_state[key].get("window")
    st.session_state["window"] = {clip.id: None if part is None else (float(part[0]), float(part[1]))}
