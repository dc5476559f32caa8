"""The Live page: all clips under way and all cameras. It renews itself and changes only what changed."""

import time
from typing import Final

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from services.dashboard import status
from services.dashboard.intake import panels as intake
from services.dashboard.live import drawing
from services.dashboard.live.scene import Scene, follow
from services.dashboard.readers import progress_of
from services.dashboard.session import House, look
from shared.errors import MessageError
from shared.queues.broker import LOST, Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings

UPDATE_S: Final = 1.0
_SHOWN: Final = 12
_LINGER_S: Final = 60.0
_BUDGET_S: Final = 0.2
_FIRST_S: Final = 0.05
_UNDER_WAY: Final = (State.RUNNING, State.FINISHING)


@st.fragment(run_every=UPDATE_S)
def live_page(settings: Settings, clips_page: StreamlitPage) -> None:
    """Show what is under way: pictures with faces and labels, progress, speed, cameras with latency.

    A clip opens in `clips_page`.
    """
    house = look(settings)
    facts = [*status.facts(house.survey), *drawing.devices(house.survey.services)]
    st.html(status.chips(facts, house.problem))
    shown = on_stage(house.clips, time.time())
    scenes = _follow(house.broker, shown[:_SHOWN])
    if shown:
        st.html(drawing.legend())
    for clip in shown[:_SHOWN]:
        _card(settings, house, clip, scenes[clip.id], clips_page)
    if len(shown) > _SHOWN:
        st.html(status.note(f"{len(shown) - _SHOWN} more are under way"))
    queued = sorted((c for c in house.clips if c.state is State.QUEUED), key=lambda clip: clip.created_s)
    if queued:
        st.html(drawing.waiting(queued))
    if not shown and not queued:
        _empty(settings, house)


def on_stage(clips: list[Clip], now_s: float) -> list[Clip]:
    """Return the clips to show, the oldest first: those under way, and for a minute those that have ended."""
    return sorted(
        (
            clip
            for clip in clips
            if clip.state in _UNDER_WAY
            or (
                clip.state in (State.DONE, State.FAILED) and clip.path and now_s - clip.finished_s < _LINGER_S
            )
        ),
        key=lambda clip: (clip.created_s, clip.id),
    )


def _follow(broker: Broker | None, shown: list[Clip]) -> dict[str, Scene]:
    """Return the session's scenes, brought up to date; while the broker is away they stay as they were."""
    held: dict[tuple[str, float], Scene] = st.session_state.get("scenes", {})
    # A clip that is analysed again has the same id and starts afresh.
    scenes = {(clip.id, clip.created_s): held.get((clip.id, clip.created_s), Scene()) for clip in shown}
    if broker is not None:
        budget_s = _BUDGET_S if held else _FIRST_S
        for run, scene in scenes.items():
            try:
                scenes[run] = follow(broker, run[0], scene, budget_s / len(scenes))
            except (MessageError, *LOST):
                break
    st.session_state["scenes"] = scenes
    return {clip_id: scene for (clip_id, _), scene in scenes.items()}


def _card(settings: Settings, house: House, clip: Clip, scene: Scene, clips_page: StreamlitPage) -> None:
    with st.container(border=True, key=f"scene-{clip.id}"):
        left, right = st.columns([2, 3])
        with left:
            st.html(drawing.picture(scene))
        with right:
            st.html(drawing.headline(clip, progress_of(clip, time.time())))
            st.html(drawing.ribbon(scene))
            with st.container(horizontal=True):
                if st.button("open", key=f"open-{clip.id}"):
                    st.switch_page(clips_page, query_params={"clip": clip.id})
                if house.broker is not None and clip.state is State.RUNNING:
                    intake.cancel_button(settings, clip)


def _empty(settings: Settings, house: House) -> None:
    if house.problem:
        st.html(status.empty("waiting for the broker", house.problem))
    else:
        where = settings.incoming.resolve()
        st.html(
            status.empty(
                "nothing is under way",
                f"add clips here, drop them into {where}, or start a camera with reelmood camera 0",
            )
        )
