"""A choice among people whose names may change."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from zlib import crc32

import msgspec
import streamlit as st

from services.dashboard.clip.shown import Shown, Who

W = TypeVar("W", bound=Who)


def choose_from(
    label: str,
    options: Sequence[W],
    held: W,
    name: Callable[[W], str],
    shown: Shown,
    key: str,
    on_choice: Callable[[W], None],
) -> None:
    """Show a choice of people, at first `held`; `on_choice` is told of another one.

    Streamlit knows options by what they are called, and a browser that is behind still says what was chosen
    before. A new name, and a choice that was made elsewhere, therefore get a new widget, and only what is
    said of the latest one counts.
    """
    widget = f"{key}-{crc32(msgspec.json.encode((shown.people, held))):08x}"

    def choose() -> None:
        if is_latest(key, widget):
            on_choice(st.session_state[widget])

    note_latest(key, widget)
    st.selectbox(
        label, options, options.index(held), format_func=name, key=widget, width=300, on_change=choose
    )


def note_latest(place: str, widget: str) -> None:
    """Take note of the widget, by its key, that is shown in a place now."""
    st.session_state[f"{place}-latest"] = widget


def is_latest(place: str, widget: str) -> bool:
    """Tell whether a widget is the one that was shown last in a place, and not one that it has replaced."""
    return bool(st.session_state.get(f"{place}-latest") == widget)
