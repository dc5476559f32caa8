"""The summary of a clip: shares of each person, strongest moments, transitions."""

from html import escape

import streamlit as st

from services.dashboard import status
from services.dashboard.clip import cursor
from services.dashboard.clip.figures import Figures, figures_of
from services.dashboard.clip.shown import Shown
from services.dashboard.times import clock
from services.dashboard.view import View
from shared.emotions import COLOURS
from shared.queues.clips import Clip


def show(clip: Clip, view: View, shown: Shown) -> None:
    """Show the figures of a clip; a moment is jumped to."""
    figures = _figures(view, shown)
    if not figures.persons:
        st.html(status.note("all faces are hidden"))
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.html(_title("share of each emotion") + "".join(_share(shown, *one) for one in figures.persons))
    with right:
        st.html(_title("strongest moments"))
        _moments(clip, shown, figures)
        st.html(_title("most frequent transitions") + _transitions(figures))


def _figures(view: View, shown: Shown) -> Figures:
    """Return the figures; they are not worked out again while nothing new has come."""
    key = view.clip, len(view.time_s), view.archived, shown
    held: tuple[object, Figures | None] = st.session_state.get("figures", (None, None))
    if held[0] == key and held[1] is not None:
        return held[1]
    figures = figures_of(view, shown)
    st.session_state["figures"] = key, figures
    return figures


def _title(text: str) -> str:
    return f'<h3 class="rm-title">{text}</h3>'


def _share(shown: Shown, person: int, seen_s: float, shares: dict[str, float]) -> str:
    parts = "".join(
        f'<i style="width:{100 * share:.2f}%;background:{COLOURS[emotion]}"'
        f' title="{emotion} {100 * share:.0f} %"></i>'
        for emotion, share in shares.items()
        if share
    )
    named = sorted((item for item in shares.items() if item[1] >= 0.05), key=lambda item: -item[1])
    words = "".join(
        f"<span>{_dot(emotion)}{emotion} {100 * share:.0f} %</span>" for emotion, share in named[:4]
    )
    return (
        f'<div class="rm-share"><p><b>{escape(shown.name(person))}</b>'
        f"<span>seen {clock(seen_s, 1)}</span></p>"
        f'<div class="rm-parts">{parts}</div><p class="rm-words">{words}</p></div>'
    )


def _dot(emotion: str) -> str:
    return f'<i class="rm-dot" style="background:{COLOURS[emotion]}"></i>'


def _moments(clip: Clip, shown: Shown, figures: Figures) -> None:
    with st.container(key="moments", gap=None):
        for number, one in enumerate(figures.moments):
            text = f"{clock(one.peak_s, 1)} · {shown.name(one.track)} · {one.emotion} {100 * one.peak:.0f} %"
            st.button(
                status.plain(text),
                key=f"moment-{clip.id}-{number}",
                on_click=cursor.jump,
                args=(clip, one.peak_s),
                icon=":material/play_arrow:",
                type="tertiary",
            )
    if not figures.moments:
        st.html('<p class="rm-quiet">nothing but neutral faces, or mere flickers</p>')


def _transitions(figures: Figures) -> str:
    if not figures.changes:
        return '<p class="rm-quiet">no face goes from one emotion to another</p>'
    rows = "".join(
        f"<li>{_dot(before)}{before} → {_dot(after)}{after}<span>{times} ×</span></li>"
        for before, after, times in figures.changes
    )
    return f'<ul class="rm-changes">{rows}</ul>'
