"""What one browser session remembers between two updates: the broker's answers and the view of its clip."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import streamlit as st
from msgspec import structs

from services.dashboard.archive import archived_clips, load
from services.dashboard.readers import Survey, follow, survey
from services.dashboard.view import View
from shared.errors import BrokerError, MessageError, ReelmoodError
from shared.queues.broker import LOST, Broker, address_of, connect, public
from shared.queues.clips import Clip, State
from shared.settings import Settings
from shared.storage.places import place

_FIRST_S: Final = 0.05
_BUDGET_S: Final = 0.25
"""Seconds that an update reads for; the first is short, so that a page shows at once and then fills up."""


@dataclass(frozen=True)
class House:
    """What is known right now: the last answers of the broker, all clips, and what is wrong, if anything."""

    broker: Broker | None
    survey: Survey
    clips: list[Clip]
    problem: str


def look(settings: Settings) -> House:
    """Ask the broker; while it is away, what it said last stays."""
    broker, answer, problem = _ask(settings.model_dump_json(), settings)
    if answer is not None:
        st.session_state["survey"] = answer
    last: Survey = st.session_state.get("survey", Survey([], [], {}))
    known = {clip.id for clip in last.clips}
    filed = [clip for clip in archived_clips(settings.results) if clip.id not in known]
    clips = sorted([*last.clips, *filed], key=lambda clip: clip.created_s, reverse=True)
    return House(broker, last, clips, problem)


def chosen_clip(clips: list[Clip]) -> Clip | None:
    """Return the clip that the address names; the first time, the newest one under way, else the newest.

    The choice is written into the address, so that it stays when other clips arrive. None when there is no
    clip, or the named one is not known.
    """
    wanted = st.query_params.get("clip")
    if wanted is None and clips:
        under_way = (clip for clip in clips if clip.state in (State.RUNNING, State.FINISHING))
        wanted = next(under_way, clips[0]).id
        st.query_params["clip"] = wanted
    return next((clip for clip in clips if clip.id == wanted), None)


def read(broker: Broker | None, clip: Clip) -> tuple[View, str]:
    """Return the session's view of a clip, brought up to date, and what is wrong, if anything.

    A finished clip is read from its files, once; any other from the broker, only what is new.
    """
    run, view = st.session_state.get("view", (None, None))
    if run != (clip.id, clip.created_s):
        view = View(clip.id)
    view, problem = _advance(broker, clip, view)
    st.session_state["view"] = (clip.id, clip.created_s), view
    return view, problem


def _advance(broker: Broker | None, clip: Clip, view: View) -> tuple[View, str]:
    problem = ""
    if view.archived:
        return view, problem
    if clip.state is State.DONE and clip.out:
        try:
            return load(clip.id, Path(clip.out)), problem
        except ReelmoodError as error:
            problem = str(error)
    if broker is None:
        return view, problem
    try:
        return follow(broker, view, _BUDGET_S if len(view.time_s) else _FIRST_S), problem
    except MessageError as error:
        return view, str(error)
    except LOST:
        return view, problem


@st.cache_resource(ttl=0.4, max_entries=8, show_spinner=False)
def _ask(identity: str, _settings: Settings) -> tuple[Broker | None, Survey | None, str]:
    try:
        broker = _connect(identity, _settings)
    except BrokerError as error:
        return None, None, f"{error}; trying again"
    try:
        answer = survey(broker)
        return broker, replace(answer, clips=[_here(_settings, clip) for clip in answer.clips]), ""
    except MessageError as error:
        return broker, None, str(error)
    except LOST:
        # a broker that is started again may have another address
        _connect.clear()
        return None, None, f"the broker at {_address(_settings)} does not answer; trying again"


def _here(settings: Settings, clip: Clip) -> Clip:
    """Return a clip with its results where this host has them, or will have them from the store."""
    return structs.replace(clip, out=str(place(settings, clip.out))) if clip.out else clip


def _address(settings: Settings) -> str:
    try:
        return public(address_of(settings))
    except BrokerError:
        return str(settings.home)


@st.cache_resource(max_entries=8, show_spinner=False)
def _connect(identity: str, _settings: Settings) -> Broker:  # noqa: ARG001 - the cache's key
    return connect(_settings)
