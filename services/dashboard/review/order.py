"""The data set that the corrections make up, and the training run that takes it."""

from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from services.dashboard import reelmood, status
from shared import corrections
from shared.corrections import Correction
from shared.errors import ModelError, ReelmoodError
from shared.poster.active import FIRST, active
from shared.settings import Settings

_ALONE: Final = "nothing: the corrections alone"
_OTHERS: Final = tuple(name for name in reelmood.DATASETS if name != reelmood.CORRECTIONS)


def data_set(held: Sequence[Correction]) -> bool:
    """Show what has been decided so far, and return whether a run on it is wanted."""
    known = corrections.faces(held)
    parts = [f"{count:,} {emotion}" for emotion, count in corrections.counts(known).items() if count]
    none = len(held) - len(known)
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        changed = sum(one.label != one.predicted for one in known)
        faces = "1 face" if len(known) == 1 else f"{len(known):,} faces"
        parts += [f"{none:,} {corrections.NO_FACE}, left out of training"] if none else []
        st.html(status.chips([f"{faces} decided, {changed:,} corrected", *parts]))
    with right:
        return st.button("train on them", key="order", type="primary", width="stretch", disabled=not known)


@st.dialog("Train on the corrections")
def new_run(settings: Settings) -> None:
    """Ask how to train on the corrections and queue the run."""
    with st.form("train-on-corrections", border=False):
        name = st.text_input("name of the new model", placeholder="corrected")
        left, right = st.columns(2)
        init = left.text_input("start from", value=_in_use(settings))
        epochs = right.number_input("epochs", min_value=1, max_value=10_000, value=3)
        other = st.selectbox("mixed in with", (_ALONE, *_OTHERS))
        data = st.text_input("folder or file of those data", placeholder="/data/fer2013")
        votes = st.text_input("FER+ votes for FER2013, if any", placeholder="/data/ferplus_votes.csv")
        limit = st.number_input("of them so many pictures at most (0: all)", min_value=0, value=2000)
        if not st.form_submit_button("queue the run", type="primary", width="stretch"):
            return
    mixed = other != _ALONE
    order = reelmood.Order(
        name=name,
        dataset=other if mixed else reelmood.CORRECTIONS,
        data=data if mixed else str(settings.corrections.absolute()),
        votes=votes if mixed else "",
        init=init,
        preset="modern",
        epochs=epochs,
        add_corrections=mixed,
        limit=limit if mixed else 0,
    )
    try:
        with st.spinner("queueing"):
            reelmood.train(settings, order)
    except ReelmoodError as error:
        st.html(status.note(str(error)))
        return
    st.session_state["review-queued"] = name.strip()
    st.rerun()


def queued() -> None:
    """Say which run was queued, and where to follow it."""
    name = st.session_state.get("review-queued")
    if name:
        where = "./training?" + urlencode({"run": name})
        st.html(
            f'<p class="rm-note">{escape(name)} is queued: '
            f'<a href="{escape(where, quote=True)}">follow it on the Training page</a></p>'
        )


def _in_use(settings: Settings) -> str:
    try:
        return active(settings.models).name
    except ModelError:
        return FIRST
