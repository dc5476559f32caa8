"""The Review page: uncertain faces to confirm or correct, and a training run on what was decided."""

from collections.abc import Sequence
from typing import Final
from uuid import uuid4

import streamlit as st

from services.dashboard import status
from services.dashboard.library.held import shelf_of
from services.dashboard.library.shelf import Library
from services.dashboard.review import decisions, order
from services.dashboard.review.doubtful import Batch, Reasons, gather
from services.dashboard.review.grid import grid
from shared import corrections
from shared.corrections import Correction
from shared.errors import DataError
from shared.settings import Settings

_FACES: Final = 24
_SHARP: Final = "uncertain"
_BLURRED: Final = "set aside as blurred"


def review_page(settings: Settings) -> None:
    """Show the faces that the model is least sure of, and what has been decided so far."""
    st.html(
        '<div class="rm-head"><h2>Review</h2><p class="rm-quiet">faces that the model is unsure of</p></div>'
    )
    try:
        held = corrections.read(settings.corrections)
    except DataError as error:
        st.html(status.note(str(error)))
        return
    order.queued()
    with st.spinner("reading the faces of finished clips", show_time=True):
        library = shelf_of(settings).library()
    if len(library):
        _doubts(settings, library, held)
    else:
        text = f"once a first clip is finished, they are here: drop one into {settings.incoming.resolve()}"
        st.html(status.empty("no faces yet", text))
        _data_set(held)
    if st.session_state.pop("review-order", False):
        order.new_run(settings)


def _doubts(settings: Settings, library: Library, held: Sequence[Correction]) -> None:
    wanted = _choose()
    passed: set[str] = st.session_state.setdefault("review-passed", set())
    name, batch, chosen = st.session_state.get("review-batch", ("", Batch(), None))
    if chosen != wanted:
        reasons, blurred = wanted
        seen = passed | {one.picture for one in held}
        name, batch = uuid4().hex, gather(library, reasons, seen, _FACES, blurred=blurred)
        st.session_state["review-batch"] = name, batch, wanted
    others = f"{batch.others} {_SHARP if wanted[1] else _BLURRED}" if batch.others else ""
    if batch.doubts:
        _grid(settings, name, batch, others)
        return
    text = "all faces are decided, passed over, or sure enough: raise the margin"
    st.html(status.empty("nothing to review", f"{text} ({others})" if others else text))
    if passed and st.button("show those passed over again", key="passed-faces"):
        passed.clear()
        _next()
    _data_set(held)


@st.fragment
def _grid(settings: Settings, name: str, batch: Batch, others: str) -> None:
    """Show the batch and keep what is decided; only this part runs again with each key."""
    keys = {doubt.key for doubt in batch.doubts}
    try:
        before = {one.picture: one.label for one in corrections.read(settings.corrections)}
        known = st.session_state.setdefault(
            f"review-{name}", {key: before[key] for key in keys & before.keys()}
        )
        decisions.keep(settings.corrections, batch.doubts, grid(batch, name, known))
        held = corrections.read(settings.corrections)
    except DataError as error:
        st.html(status.note(str(error)))
        return
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        done = sum(one.picture in keys for one in held)
        parts = [f"{done} of {len(keys)} decided and saved", *([others] if others else [])]
        st.html(f'<p class="rm-quiet">{" · ".join(parts)}</p>')
    with right:
        if st.button("next faces", key="next-faces", shortcut="n", width="stretch"):
            st.session_state["review-passed"] |= keys - {one.picture for one in held}
            _next()
    _data_set(held)


def _next() -> None:
    """Put another batch together."""
    del st.session_state["review-batch"]
    st.rerun()


def _data_set(held: Sequence[Correction]) -> None:
    if order.data_set(held):
        st.session_state["review-order"] = True
        st.rerun()


def _choose() -> tuple[Reasons, bool]:
    left, middle, right = st.columns([2, 2, 2], vertical_alignment="bottom")
    with left:
        margin = st.slider(
            "margin between the two best, below", 5, 100, 20, 5, format="%d %%", key="review-margin"
        )
    with middle:
        neighbours = st.toggle("also where the neighbours disagree", value=True, key="review-neighbours")
    with right:
        kind = st.segmented_control(
            "faces",
            [_SHARP, _BLURRED],
            default=_SHARP,
            required=True,
            key="review-kind",
            label_visibility="collapsed",
        )
    return Reasons(margin / 100, bool(neighbours)), kind == _BLURRED
