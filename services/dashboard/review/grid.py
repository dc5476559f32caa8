"""The grid of faces in the browser: a component of the page, worked through with the keyboard."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from services.dashboard.review.doubtful import Batch, Doubt
from services.dashboard.times import clock
from shared.corrections import NO_FACE
from shared.emotions import COLOURS, EMOTIONS

_HERE = Path(__file__).parent
_grid = st.components.v2.component(
    "reelmood-review",
    html=(_HERE / "grid.html").read_text(encoding="utf-8"),
    css=(_HERE / "grid.css").read_text(encoding="utf-8"),
    js=(_HERE / "grid.js").read_text(encoding="utf-8"),
)


def grid(batch: Batch, name: str, decided: Mapping[str, str]) -> object:
    """Show a batch, and return what the browser says was decided so far, by the faces' keys.

    `name` tells the batch from others; `decided` is what was known when it was put together.
    """
    data = {
        "batch": name,
        "emotions": [{"name": emotion, "colour": COLOURS[emotion]} for emotion in EMOTIONS],
        "noFace": NO_FACE,
        "faces": [_face(doubt) for doubt in batch.doubts],
        "decided": dict(decided),
    }
    answer: Any = _grid(key=f"grid-{name}", data=data, default={"decided": {}}, on_decided_change=_nothing)
    return answer.get("decided")


def _face(doubt: Doubt) -> dict[str, str]:
    faces, place = doubt.faces, doubt.place
    shares = faces.probabilities[place]
    first, second = shares.argsort()[::-1][:2]
    return {
        "key": doubt.key,
        "picture": "data:image/jpeg;base64," + b64encode(doubt.picture).decode("ascii"),
        "guess": EMOTIONS[faces.emotion[place]],
        "said": f"{EMOTIONS[first]} {shares[first]:.0%} or {EMOTIONS[second]} {shares[second]:.0%}",
        "where": f"{faces.name} · {clock(float(faces.time_s[place]), 1)}",
    }


def _nothing() -> None:
    """A state of a component has to have a callback."""
