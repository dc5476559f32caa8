"""The Search page: a face, and the moments of all clips that look like it."""

import time
from pathlib import Path
from typing import Final

import streamlit as st

from services.dashboard import status
from services.dashboard.intake.upload import PICTURES, store
from services.dashboard.library.held import shelf_of
from services.dashboard.library.portraits import portraits_of
from services.dashboard.library.shelf import Library, of_content, surest
from services.dashboard.search import cards
from services.dashboard.search.asked import Asked, of_finished, of_running
from services.dashboard.search.hits import Filters, nearest
from services.dashboard.session import look
from shared.emotions import EMOTIONS
from shared.errors import ReelmoodError
from shared.folders import digest_of
from shared.queues.broker import LOST
from shared.queues.clips import Clip, State
from shared.settings import Settings

UPDATE_S: Final = 1.0
_SHOWN: Final = 24
_LARGEST_MB: Final = 20
_STYLE: Final = Path(__file__).with_name("search.css")


def search_page(settings: Settings) -> None:
    """Show the face that the address names and what looks like it; without one, faces to choose from."""
    st.html(_STYLE)
    with st.spinner("reading the faces of finished clips", show_time=True):
        library = shelf_of(settings).library()
    if library.left_out:
        text = f"{library.left_out:,} older clips are left out: {len(library):,} faces are what is searched"
        st.html(status.note(text))
    if "like" in st.query_params:
        asked = _asked(settings, library)
        if asked is None:
            st.html(status.note("this face is not here any more: choose another one"))
        else:
            _answer(library, asked)
            return
    if "picture" in st.query_params:
        _picture(settings, st.query_params["picture"])
        return
    _choose(settings, library)


def _asked(settings: Settings, library: Library) -> Asked | None:
    """Return the face that the address names, from the files or, while its clip is read, from the broker."""
    clip = st.query_params["like"]
    try:
        track, frame = (int(st.query_params.get(name, "-1")) for name in ("track", "frame"))
    except ValueError:
        return None
    found = of_finished(library, clip, track, frame)
    if found is not None:
        return found
    house = look(settings)
    known = next((one for one in house.clips if one.id == clip), None)
    if house.broker is None or known is None:
        return None
    try:
        return of_running(house.broker, known, track, frame)
    except LOST:
        return None


def _answer(library: Library, asked: Asked) -> None:
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        st.html(cards.question(asked))
    with right:
        filters = _filters(library)
    shown = st.session_state.setdefault("hits_shown", _SHOWN)
    began = time.perf_counter()
    hits = nearest(library, asked.query, filters, shown + 1)
    took_ms = 1000 * (time.perf_counter() - began)
    if not hits:
        st.html(status.empty("nothing like it", _why_nothing(library, asked)))
        return
    st.html(f'<p class="rm-quiet">{len(library):,} faces searched in {took_ms:.0f} ms</p>')
    st.html(cards.found(hits[:shown], portraits_of([(hit.faces, hit.place) for hit in hits[:shown]])))
    if len(hits) > shown and st.button("more", key="more-hits"):
        st.session_state["hits_shown"] = shown + _SHOWN
        st.rerun()


def _why_nothing(library: Library, asked: Asked) -> str:
    if any(faces.model == asked.query.model for faces in library):
        return (
            "no other face passes the filters: allow more emotions or clips, less similar or less sure faces"
        )
    return f"no finished clip was read by {asked.query.model}, and faces of two models cannot be compared"


def _filters(library: Library) -> Filters:
    names = {faces.clip: faces.name for faces in library}
    emotions = st.pills("emotion", EMOTIONS, selection_mode="multi", key="hit-emotions")
    left, middle, right = st.columns(3)
    with left:
        clips = st.multiselect(
            "clip", names, format_func=names.__getitem__, key="hit-clips", placeholder="all clips"
        )
    with middle:
        alike = st.slider("at least this similar", 0, 100, 50, 5, format="%d %%", key="hit-similarity")
    with right:
        sure = st.slider("at least this sure", 0, 100, 0, 5, format="%d %%", key="hit-confidence")
    every = st.toggle("every moment, not only the best of each track", key="hit-every")
    return Filters(
        emotions=frozenset(emotions or EMOTIONS),
        confidence=sure / 100,
        similarity=alike / 100,
        clips=frozenset(clips) or None,
        every=every,
    )


def _choose(settings: Settings, library: Library) -> None:
    """Let the person upload a picture, or choose a face."""
    st.html('<div class="rm-head"><h2>Search</h2><p class="rm-quiet">every moment like one face</p></div>')
    _upload(settings)
    limit = st.session_state.setdefault("faces_shown", 2 * _SHOWN)
    places = surest(library, limit + 1)
    if not places:
        text = f"once a first clip is finished, they are here: drop one into {settings.incoming.resolve()}"
        st.html(status.empty("no faces yet", text))
        return
    st.html('<p class="rm-quiet">choose a face</p>')
    st.html(cards.choice(places[:limit], portraits_of(places[:limit])))
    if len(places) > limit and st.button("more faces", key="more-faces"):
        st.session_state["faces_shown"] = limit + 2 * _SHOWN
        st.rerun()


def _upload(settings: Settings) -> None:
    if not settings.upload_mb:
        return
    file = st.file_uploader(
        "a picture with a face",
        type=PICTURES,
        max_upload_size=min(_LARGEST_MB, settings.upload_mb),
        key="asked-picture",
    )
    if file is None or st.session_state.get("taken") == file.file_id:
        return
    try:
        store(settings, file.name, file.size, file)
    except ReelmoodError as error:
        st.html(status.note(f"{file.name}: {error}"))
        return
    st.session_state["taken"] = file.file_id
    st.query_params["picture"] = digest_of(file)
    st.rerun()


def _picture(settings: Settings, digest: str) -> None:
    """Show how far an uploaded picture is, and its faces as soon as they are known."""
    places = of_content(shelf_of(settings).library(), digest)
    if len(places) == 1:
        faces, place = places[0]
        st.query_params.from_dict(
            {"like": faces.clip, "track": str(faces.track[place]), "frame": str(faces.frame[place])}
        )
        st.rerun()
    if places:
        st.html('<div class="rm-head"><h2>Which of these faces?</h2></div>')
        st.html(cards.choice(places, portraits_of(places)))
        return
    _wait(settings, digest)


@st.fragment(run_every=UPDATE_S)
def _wait(settings: Settings, digest: str) -> None:
    house = look(settings)
    clip = next((one for one in house.clips if one.content == digest), None)
    if of_content(shelf_of(settings).library(), digest):
        st.rerun()
    st.html(status.empty("looking at the picture", house.problem or _how_far(clip)))


def _how_far(clip: Clip | None) -> str:
    if clip is None:
        return "it waits to be taken in"
    if clip.state is State.FAILED:
        return clip.error
    if clip.state is State.DONE:
        return "no face was found in it: try another one, in which the face is larger"
    return "it is being read: this takes a moment"
