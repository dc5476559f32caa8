"""The player as a component of Streamlit: video, timeline and lanes, drawn in the browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import streamlit as st

_PARTS: Final = Path(__file__).with_name("component")
_SCRIPTS: Final = ("drawing.js", "timeline.js", "player.js")


def _text(*names: str) -> str:
    return "\n".join((_PARTS / name).read_text(encoding="utf-8") for name in names)


_component = st.components.v2.component(
    "reelmood_player", html=_text("player.html"), css=_text("player.css"), js=_text(*_SCRIPTS)
)


def show(
    key: str,
    data: dict[str, Any],
    on_time: Callable[[], None],
    on_lane: Callable[[], None],
    on_window: Callable[[], None],
) -> None:
    """Show a player of `payload.payload`'s data.

    It tells where its cursor is (`time`, in seconds; while it plays once a second), whose `lane` was clicked
    (-1: that of the person who is chosen already; and when, in Unix milliseconds) and which part is shown
    (`window`, None: all of it). Each is called when that has changed, and finds it in the session's state
    under `key`.
    """
    _component(
        key=key,
        data=data,
        on_time_change=on_time,
        on_lane_change=on_lane,
        on_window_change=on_window,
    )
