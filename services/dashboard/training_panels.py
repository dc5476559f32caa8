"""The parts of the Training page. The fragments renew themselves once a second."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import streamlit as st

from services.dashboard import reelmood, status, training_charts, training_confusion, training_status
from services.dashboard.session import House, look
from services.dashboard.training_view import Run, gather
from shared import runs
from shared.errors import ReelmoodError
from shared.queues import trainings
from shared.queues.broker import LOST, Broker
from shared.queues.trainings import State, Training
from shared.settings import Settings

UPDATE_S: Final = 1.0
_MORE: Final = 30
_LOG_LINES: Final = 200


@st.fragment(run_every=UPDATE_S)
def run_list(settings: Settings) -> None:
    """Show the runs, newest first, each with its state; one can be chosen."""
    known = _runs(settings, look(settings))
    chosen = _chosen(known)
    shown = st.session_state.setdefault("runs_shown", _MORE)
    for run in known[:shown]:
        with st.container(key=f"entry-run-{run.name}", gap=None):
            if st.button(
                status.plain(run.name),
                key=f"clip-run-{run.name}",
                type="primary" if chosen is not None and run.name == chosen.name else "tertiary",
                width="stretch",
            ):
                st.query_params["run"] = run.name
                st.rerun()
            st.html(training_status.entry(run))
    if len(known) > shown and st.button("older runs", type="tertiary", key="older-runs"):
        st.session_state["runs_shown"] = shown + _MORE
        st.rerun(scope="fragment")
    if not known:
        st.html('<p class="rm-quiet">no runs yet</p>')


@st.fragment(run_every=UPDATE_S)
def run_page(settings: Settings) -> None:
    """Show who trains, and the chosen run: how far it is, its curves beside others', its log."""
    house = look(settings)
    known = _runs(settings, house)
    waiting = sum(run.state is State.QUEUED for run in known)
    st.html(training_status.house(house.survey.services, waiting, house.problem))
    if waiting and not any(one.kind == "trainer" for one in house.survey.services):
        st.html(
            status.note("no trainer is running: start one with reelmood trainer, or reelmood up --trainer")
        )
    run = _chosen(known)
    if run is not None:
        _run(settings, house, run, known)
    elif known:
        st.html(status.empty("this run is not here", "choose another one from the list"))
    else:
        st.html(
            status.empty("no run yet", "start one with the button on the left, or reelmood train --enqueue")
        )


@st.dialog("New run")
def new_run(settings: Settings) -> None:
    """Ask for a new run and queue it."""
    with st.form("new-run", border=False):
        name = st.text_input("name of the new model", placeholder="mine")
        left, right = st.columns(2)
        dataset = left.selectbox("data set", reelmood.DATASETS)
        init = right.text_input("start from", value="nano")
        data = st.text_input("folder or file of the data", placeholder="/data/fer2013")
        votes = st.text_input("FER+ votes, if any", placeholder="/data/ferplus_votes.csv")
        left, right = st.columns(2)
        preset = left.selectbox("preset", reelmood.PRESETS)
        epochs = right.number_input("epochs", min_value=1, max_value=10_000, value=6)
        if not st.form_submit_button("queue the run", type="primary", width="stretch"):
            return
    try:
        with st.spinner("queueing"):
            reelmood.train(settings, reelmood.Order(name, dataset, data, votes, init, preset, epochs))
    except ReelmoodError as error:
        st.html(status.note(str(error)))
        return
    st.query_params["run"] = name.strip()
    st.rerun()


def _runs(settings: Settings, house: House) -> list[Run]:
    """Return all runs; while the broker is away, what it said last stays."""
    if house.broker is not None:
        with suppress(*LOST):
            st.session_state["trainings"] = trainings.recent(house.broker)
    queued: list[Training] = st.session_state.get("trainings", [])
    return gather(settings, queued)


def _chosen(known: list[Run]) -> Run | None:
    """Return the run that the address names; the first time, the newest one under way, else the newest."""
    wanted = st.query_params.get("run")
    if wanted is None and known:
        wanted = next((run for run in known if run.state is State.RUNNING), known[0]).name
        st.query_params["run"] = wanted
    return next((run for run in known if run.name == wanted), None)


def _run(settings: Settings, house: House, run: Run, known: list[Run]) -> None:
    st.html(training_status.headline(run))
    if run.error:
        st.html(status.note(run.error))
    _actions(settings, house.broker, run)
    if training_charts.figures_of([run]):
        _curves(run, known)
    elif run.is_under_way:
        st.html(status.note("curves appear with the first epoch"))
    confusion = runs.read_confusion(run.folder)
    if confusion is not None:
        with st.expander(f"confusion on the validation part after epoch {confusion.epoch}", key="confusion"):
            st.html(training_confusion.matrices(confusion))
    with st.expander("log", key="log"):
        lines = runs.tail(run.folder, _LOG_LINES)
        st.code("\n".join(lines) or "nothing yet", language=None, height=300, wrap_lines=True)
    with st.expander("what it was asked to do", key="spec"):
        st.json(run.spec)


def _curves(run: Run, known: list[Run]) -> None:
    left, right = st.columns([3, 2])
    with left:
        shown = [run, *_compared(run, known)]
    with right:
        figure = st.selectbox(
            "figure",
            training_charts.figures_of(shown),
            format_func=training_charts.FIGURES.__getitem__,
            key="figure",
            label_visibility="collapsed",
        )
    st.echarts_chart(
        training_charts.curves(shown, figure),
        height=training_charts.HEIGHT,
        key=f"curves-{run.name}",
        alt=f"{training_charts.FIGURES[figure]} of {', '.join(one.name for one in shown)} over epochs",
    )
    st.html(training_status.table(shown))


def _compared(run: Run, known: list[Run]) -> list[Run]:
    """Let the person choose runs to draw beside this one."""
    others = {one.name: one for one in known if one.history and one.name != run.name}
    if not others:
        return []
    names = st.multiselect(
        "compare with",
        list(others),
        key="compared",
        max_selections=len(training_charts.COLOURS) - 1,
        placeholder="compare with …",
        label_visibility="collapsed",
    )
    return [others[name] for name in names if name in others]


def _actions(settings: Settings, broker: Broker | None, run: Run) -> None:
    """Show a button for each thing that can be done with a run as it stands."""
    actions: dict[str, Callable[[], object]] = {}
    if broker is not None and run.is_under_way and not run.stopping:
        actions["stop"] = lambda: trainings.stop(broker, run.name)
    if broker is not None and run.state in (State.STOPPED, State.FAILED):
        actions["resume"] = lambda: trainings.resume(broker, run.name)
    if run.has_model and not run.is_active:
        actions["promote"] = lambda: reelmood.promote(settings, run.name)
    if run.is_active:
        actions["roll back"] = lambda: reelmood.roll_back(settings)
    with st.container(key="actions", horizontal=True):
        for name, action in actions.items():
            if st.button(name, key=f"{name}-{run.name}"):
                with st.spinner("one moment"):
                    _do(action)


def _do(action: Callable[[], object]) -> None:
    """Do what a button is for; what went wrong, or what a command says, is shown for a while."""
    try:
        said = action()
    except ReelmoodError as error:
        st.toast(status.plain(str(error)), duration="long")
        return
    except LOST:
        st.toast("the broker does not answer")
        return
    if isinstance(said, str) and not isinstance(said, State):
        st.toast(status.plain(said), duration="long")
    st.rerun(scope="fragment")
