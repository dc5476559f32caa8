"""The list of clips. It renews itself twice a second and changes only what changed."""

import time
from typing import Final

import streamlit as st

from services.dashboard import status
from services.dashboard.readers import progress_of
from services.dashboard.session import chosen_clip, look
from shared.queues.clips import Clip
from shared.settings import Settings

UPDATE_S: Final = 0.5
_MORE: Final = 30


@st.fragment(run_every=UPDATE_S)
def clip_list(settings: Settings) -> None:
    """Show the clips, newest first, each with its state and progress; one can be chosen."""
    house = look(settings)
    chosen = chosen_clip(house.clips)
    shown = st.session_state.setdefault("clips_shown", _MORE)
    for clip in house.clips[:shown]:
        _clip_entry(clip, chosen is not None and clip.id == chosen.id)
    if len(house.clips) > shown and st.button("older clips", type="tertiary", key="older"):
        st.session_state["clips_shown"] = shown + _MORE
        st.rerun(scope="fragment")
    if not house.clips:
        st.html('<p class="rm-quiet">no clips yet</p>')


def _clip_entry(clip: Clip, chosen: bool) -> None:
    with st.container(key=f"entry-{clip.id}", gap=None):
        if st.button(
            status.plain(clip.name),
            key=f"clip-{clip.id}",
            type="primary" if chosen else "tertiary",
            width="stretch",
        ):
            st.query_params["clip"] = clip.id
            st.query_params.pop("t", None)
            st.rerun()
        st.html(status.entry(clip, progress_of(clip, time.time())))
