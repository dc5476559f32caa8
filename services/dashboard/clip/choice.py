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
    before. A new name, and a choice that was made elsewhere, therefore get a new widget: what the browser
    says of the old one would choose somebody else.
    """
    widget = f"{key}-{crc32(msgspec.json.encode((shown.people, held))):08x}"
    st.selectbox(
        label,
        options,
        options.index(held),
        format_func=name,
        key=widget,
        width=300,
        on_change=lambda: on_choice(st.session_state[widget]),
    )
