"""The System page: services, queues, speeds, dead letters, models, disk."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import streamlit as st

from services.dashboard import status
from services.dashboard.session import House, look
from services.dashboard.system import tables
from services.dashboard.system.disk import Disk, Model, measure, models
from services.dashboard.system.report import LETTERS, Report, act, rates, report, retry_all
from shared.queues.broker import LOST, Broker
from shared.settings import Settings

UPDATE_S: Final = 2.0


@st.fragment(run_every=UPDATE_S)
def system_page(settings: Settings) -> None:
    """Show how the house is."""
    house = look(settings)
    now, speeds = _report(house)
    facts = status.facts(house.survey)
    st.html(status.chips(facts, house.problem))
    st.markdown("#### Services")
    if house.survey.services:
        st.html(tables.services(house.survey.services))
    else:
        st.html(status.note("nobody is at work: start reelmood up"))
    if now is not None:
        st.markdown("#### Queues")
        st.html(tables.queues(now.queues))
        st.html(status.chips(tables.rates(speeds, now.totals.dropped)))
        st.markdown("#### Given up")
        _letters(house.broker, now)
    left, right = st.columns(2)
    with left:
        st.markdown("#### Models")
        st.html(tables.models(_models(settings.model_dump_json(), settings)))
    with right:
        st.markdown("#### Disk")
        try:
            st.html(tables.disk(_disk(settings.model_dump_json(), settings)))
        except OSError as error:
            st.html(status.note(f"{settings.home} cannot be read: {error.strerror}"))


def _report(house: House) -> tuple[Report | None, dict[str, float]]:
    """Return the newest report and the speeds since the one before; without a broker, the last ones."""
    held: tuple[Report | None, dict[str, float]] = st.session_state.get("report", (None, {}))
    if house.broker is not None:
        with suppress(*LOST):
            now = report(house.broker)
            held = now, rates(held[0], now)
    st.session_state["report"] = held
    return held


def _letters(broker: Broker | None, now: Report) -> None:
    if not now.dead:
        st.html(status.note("no face and no search was given up"))
        return
    st.html(f'<p class="rm-quiet">{now.dead:,} faces and searches that no worker could read</p>')
    if broker is None:
        return
    st.button("retry all", key="retry-all", on_click=_do, args=(partial(retry_all, broker),))
    for row in now.letters:
        with st.container(key=f"letter-{row.id}", horizontal=True, vertical_alignment="center"):
            st.html(tables.letter(row))
            for words, retry in (("retry", True), ("drop", False)):
                action = partial(act, broker, [row.id], retry=retry)
                st.button(words, key=f"{words}-{row.id}", on_click=_do, args=(action,))
    if now.dead > LETTERS:
        st.html(status.note(f"the oldest {LETTERS} are shown; reelmood dead list shows all"))


def _do(action: Callable[[], str]) -> None:
    try:
        said = action()
    except LOST:
        st.toast("the broker does not answer")
        return
    st.toast(status.plain(said), duration="long")


@st.cache_resource(ttl=10, max_entries=4, show_spinner=False)
def _models(identity: str, _settings: Settings) -> list[Model]:  # noqa: ARG001 - the cache's key
    return models(_settings)


@st.cache_resource(ttl=10, max_entries=4, show_spinner=False)
def _disk(identity: str, _settings: Settings) -> Disk:  # noqa: ARG001 - the cache's key
    return measure(_settings)
