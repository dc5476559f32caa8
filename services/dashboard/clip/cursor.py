"""Where the cursor of a clip is, and how it is sent elsewhere."""

from math import isfinite

import streamlit as st

from shared.queues.clips import Clip


def position(clip: Clip) -> float | None:
    """Return where the cursor of a clip is, in seconds; None before it was put anywhere."""
    at, time_s = st.session_state.get("cursor", ("", None))
    return time_s if at == clip.id else None


def note_position(clip: Clip, time_s: float) -> None:
    """Take note of where the cursor of a clip is, in seconds."""
    st.session_state["cursor"] = clip.id, time_s


def jump(clip: Clip, time_s: float) -> None:
    """Send the cursor of a clip to a time, in seconds."""
    count = st.session_state.get("jumps", 0) + 1
    st.session_state["jumps"] = count
    st.session_state["jump"] = clip.id, {"to": time_s, "token": count}
    note_position(clip, time_s)


def pending_jump(clip: Clip) -> dict[str, float] | None:
    """Return where the player is to go: `to`, in seconds, and a `token` that tells one jump from the next."""
    at, target = st.session_state.get("jump", ("", None))
    return target if at == clip.id else None


def follow_link(clip: Clip) -> None:
    """Go where the address says, `?t=SECONDS`, once."""
    wanted = st.query_params.get("t")
    if wanted is None or st.session_state.get("followed") == (clip.id, wanted):
        return
    st.session_state["followed"] = clip.id, wanted
    try:
        time_s = float(wanted)
    except ValueError:
        return
    if isfinite(time_s):
        jump(clip, time_s)
