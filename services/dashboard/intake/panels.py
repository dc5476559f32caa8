"""Clips in and out: upload, cancel, run again, delete. What is done is done by the `reelmood` command."""

import time
from collections.abc import Callable
from typing import BinaryIO, Final

import streamlit as st

from services.dashboard import reelmood, status
from services.dashboard.intake import upload
from services.dashboard.readers import progress_of
from services.dashboard.session import chosen_clip, look
from shared.errors import ReelmoodError
from shared.poster.active import ACTIVE, active
from shared.poster.folder import list_folders
from shared.queues.clips import Clip, State
from shared.settings import Settings

_KINDS: Final = [*upload.VIDEOS, *upload.PICTURES]


def add_button(settings: Settings) -> None:
    """Show a button that opens the dialog for new clips; none where uploads are turned off."""
    if settings.upload_mb and st.button("add clips", icon=":material/add:", width="stretch", key="add-clips"):
        st.session_state["added"] = []
        add_clips(settings)


@st.dialog("Add clips")
def add_clips(settings: Settings) -> None:
    """Take files in, say what became of each, and forget what was uploaded."""
    turn = st.session_state.setdefault("upload_turn", 0)
    files = st.file_uploader(
        f"videos and pictures, up to {settings.upload_mb:,} MB each",
        type=_KINDS,
        accept_multiple_files=True,
        key=f"uploads-{turn}",
    )
    said: list[str] = st.session_state.setdefault("added", [])
    if files:
        bar = st.progress(0.0)
        for number, file in enumerate(files):
            bar.progress(number / len(files), text=status.plain(f"checking {file.name}"))
            said.append(_taken(settings, file.name, file.size, file))
        # A new uploader holds no files: those of the old one leave the server's memory.
        st.session_state["upload_turn"] = turn + 1
        st.rerun(scope="fragment")
    for line in said:
        st.html(status.note(line))


def manage_button(settings: Settings) -> None:
    """Show a button that opens the dialog for what can be done with the chosen clip."""
    if st.button("manage clip", icon=":material/tune:", width="stretch", key="manage-clip"):
        manage_clip(settings)


@st.dialog("Manage clip")
def manage_clip(settings: Settings) -> None:
    """Offer what can be done with the chosen clip as it stands: cancel, run again, delete."""
    house = look(settings)
    clip = chosen_clip(house.clips)
    if clip is None:
        st.html(status.note("no clip is chosen"))
        return
    st.html(status.headline(clip, progress_of(clip, time.time())))
    if house.broker is None:
        st.html(status.note("waiting for the broker"))
    elif clip.state in (State.QUEUED, State.RUNNING):
        cancel_button(settings, clip)
    else:
        if clip.state in (State.DONE, State.FAILED):
            _run_again(settings, clip)
        _delete(settings, clip)


def cancel_button(settings: Settings, clip: Clip) -> None:
    """Show the button that ends what is done about a clip."""
    words = "stop" if clip.live else "cancel"
    if st.button(words, key=f"cancel-{clip.id}"):
        _do(lambda: reelmood.cancel(settings, clip.id))


def _run_again(settings: Settings, clip: Clip) -> None:
    now = _active(settings)
    models = [folder.name for folder in list_folders(settings.models)]
    model = st.selectbox(
        "run again with", models, index=models.index(now) if now in models else None, key=f"model-{clip.id}"
    )
    if model and model != now:
        st.html(status.note(f"this makes {model} the model of everything that is analysed from now on"))
    if st.button("run again", key=f"again-{clip.id}", disabled=not model, width="stretch"):
        _do(lambda: reelmood.rerun(settings, clip.id, model if model != now else None))


def _delete(settings: Settings, clip: Clip) -> None:
    sure = st.checkbox("delete its file and its results for good", key=f"sure-{clip.id}")
    if st.button("delete", key=f"delete-{clip.id}", type="primary", disabled=not sure, width="stretch"):
        _do(lambda: reelmood.forget(settings, clip.id), then=_leave)


def _leave() -> None:
    """The address names a clip that is gone: let the next one be chosen."""
    st.query_params.pop("clip", None)


def _do(action: Callable[[], str], then: Callable[[], None] = lambda: None) -> None:
    """Run a command; what went wrong is shown beside the button, else the page goes on with what it said."""
    try:
        with st.spinner("one moment"):
            said = action()
    except ReelmoodError as error:
        st.html(status.note(str(error)))
        return
    then()
    st.toast(status.plain(said.splitlines()[-1] if said else "done"))
    st.rerun()


def _active(settings: Settings) -> str:
    try:
        return active(settings.models).name if settings.model == ACTIVE else settings.model
    except ReelmoodError:
        return ""


def _taken(settings: Settings, name: str, size: int, file: BinaryIO) -> str:
    """Take a file in and return what became of it, in a line."""
    try:
        stored = upload.store(settings, name, size, file)
    except ReelmoodError as error:
        return f"✗ {upload.name_of(name)}: {error}"
    return f"✓ {stored} is waiting for its turn"
