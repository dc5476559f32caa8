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

    Streamlit knows options by what they are called. A new name therefore gets a new widget: what the browser
    still says of the old one would choose somebody else.
    """
    widget = f"{key}-{crc32(msgspec.json.encode(shown.people)):08x}"
    if st.session_state.get(widget) != held:
        st.session_state[widget] = held
    st.selectbox(
        label,
        options,
        format_func=name,
        key=widget,
        width=300,
        on_change=lambda: on_choice(st.session_state[widget]),
    )
