"""The parts of the page. Each fragment renews itself twice a second and changes only what changed."""

import time
from typing import Final

import streamlit as st

from services.dashboard import cards, charts, status
from services.dashboard.readers import progress_of
from services.dashboard.session import House, chosen_clip, look, read
from services.dashboard.view import View, main_tracks, series_of, tracks_of
from shared.queues.clips import Clip, State
from shared.settings import Settings

UPDATE_S: Final = 0.5
_MORE: Final = 30
_MAIN: Final = "main face of each shot"
_EVERYONE: Final = "all faces"


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
            st.rerun()
        st.html(status.entry(clip, progress_of(clip, time.time())))


@st.fragment(run_every=UPDATE_S)
def clip_page(settings: Settings) -> None:
    """Show the house's state and the chosen clip: progress, timeline, latest faces."""
    house = look(settings)
    st.html(status.chips(status.facts(house.survey), house.problem))
    clip = chosen_clip(house.clips)
    if clip is not None:
        _clip(house, clip)
    elif house.clips:
        st.html(status.empty("this clip is not here", "choose another one from the list"))
    elif house.problem:
        st.html(status.empty("waiting for the broker", house.problem))
    else:
        st.html(status.empty("no clip yet", f"drop a clip into {settings.incoming.resolve()}"))
    if house.survey.services:
        with st.expander("services", key="services"):
            st.html(status.services(house.survey.services))


def _clip(house: House, clip: Clip) -> None:
    st.html(status.headline(clip, progress_of(clip, time.time())))
    view, problem = read(house.broker, clip)
    for text in (problem, clip.error, clip.held):
        if text:
            st.html(status.note(text))
    if len(view.time_s):
        _faces(view, _timeline(clip, view))
    elif clip.state is State.DONE:
        st.html(status.note("no face was found in this clip"))
    elif clip.state is not State.FAILED:
        st.html(status.note("the timeline appears with the first face"))


def _timeline(clip: Clip, view: View) -> int | None:
    """Draw the timeline, if there is more than one frame, and return the track that was chosen, if any."""
    if view.last_frame < 1:
        return None
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        who = _choose_who(clip, view)
    with right:
        style = st.segmented_control(
            "drawn as",
            ["stacked", "lines"],
            default="stacked",
            required=True,
            key="style",
            label_visibility="collapsed",
        )
    track = who if isinstance(who, int) else None
    expected = 0 if view.archived else clip.frames_expected
    end = charts.horizon(view.last_s, view.frame_s, expected, clip.state is State.RUNNING)
    drawing = st.container()
    window = _choose_window(clip, end)
    chart = _chart(view, who, window, stacked=style != "lines")
    with drawing:
        st.echarts_chart(
            chart,
            height=charts.HEIGHT,
            key=f"timeline-{clip.id}",
            alt=f"probabilities of seven emotions over time, {_name(who)}",
        )
    return track


def _chart(view: View, who: int | str, window: tuple[float, float], stacked: bool) -> charts.Option:
    """Return the timeline; what is drawn already is not worked out again while nothing new has come."""
    key = view.clip, len(view.time_s), view.last_frame, view.archived, who, window, stacked
    held: tuple[object, charts.Option] = st.session_state.get("chart", (None, {}))
    option = held[1]
    if held[0] != key:
        shown = [who] if isinstance(who, int) else main_tracks(view) if who == _MAIN else None
        shares = series_of(view, shown)
        option = charts.timeline(*shares, view.shots.values(), window, view.frame_s, stacked)
        st.session_state["chart"] = key, option
    return option


def _choose_who(clip: Clip, view: View) -> int | str:
    """Let the person choose whose face is drawn, a track or one of the two words; at first the main face."""
    tracks = tracks_of(view)
    if len(tracks) == 1:
        st.html(f'<p class="rm-quiet">{_name(tracks[0])}</p>')
        return tracks[0]
    options: list[int | str] = [_MAIN, _EVERYONE, *tracks]
    return st.selectbox(
        "face", options, format_func=_name, key=f"who-{clip.id}", label_visibility="collapsed"
    )


def _name(who: int | str) -> str:
    return who if isinstance(who, str) else f"track {who}"


def _choose_window(clip: Clip, end: float) -> tuple[float, float]:
    """Let the person zoom in, and return the part to show, in seconds.

    The part is kept by the session, not by the chart, which starts afresh at every update; and so it is drawn
    with as many points as the whole.
    """
    key, ticks = f"window-{clip.id}", charts.ticks(end)
    start, stop = st.session_state.get(key, (0.0, None))
    nearest = [min(ticks, key=lambda tick: abs(tick - (end if at is None else at))) for at in (start, stop)]
    start, stop = st.select_slider(
        "part shown",
        ticks,
        value=(nearest[0], nearest[1]),
        format_func=lambda tick: charts.clock(tick, digits=0 if end >= 20 else 1),
        key=f"part-{clip.id}-{end}",
        label_visibility="collapsed",
    )
    st.session_state[key] = start, None if stop == ticks[-1] else stop
    return start, max(stop, start + ticks[1])


def _faces(view: View, first: int | None) -> None:
    if view.moments:
        overlay = st.toggle("where the model looked", value=True, key="overlay")
        st.html(cards.faces(view, first, overlay))
