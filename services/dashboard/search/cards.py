"""Moments that were found → HTML. Every text from outside is escaped here."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from services.dashboard.library.faces import Faces
from services.dashboard.search import links
from services.dashboard.search.asked import Asked
from services.dashboard.search.hits import Hit
from services.dashboard.times import clock
from shared.emotions import COLOURS, EMOTIONS


class _Lead(NamedTuple):
    """Where a face leads to, and what that is."""

    address: str
    label: str


def found(hits: Sequence[Hit], pictures: Sequence[bytes]) -> str:
    """Return a card for each hit: its face, which leads to the moment, and what is known of it."""
    cards = []
    for hit, picture in zip(hits, pictures, strict=True):
        faces, time_s = hit.faces, float(hit.faces.time_s[hit.place])
        lead = _Lead(links.moment(faces.clip, time_s), f"show {faces.name} at {clock(time_s, 1)}")
        more = f' · <a href="{_quoted(_alike(faces, hit.place))}">find alike</a>'
        cards.append(_card(faces, hit.place, picture, lead, _likeness(hit.similarity), more))
    return f'<div class="rm-hits">{"".join(cards)}</div>'


def choice(places: Sequence[tuple[Faces, int]], pictures: Sequence[bytes]) -> str:
    """Return a card for each face that can be searched for: it leads to the moments like it."""
    cards = []
    for (faces, place), picture in zip(places, pictures, strict=True):
        label = f"moments like this {EMOTIONS[faces.emotion[place]]} face in {faces.name}"
        cards.append(_card(faces, place, picture, _Lead(_alike(faces, place), label)))
    return f'<div class="rm-hits">{"".join(cards)}</div>'


def question(asked: Asked) -> str:
    """Return the face that is looked for."""
    where = f"{asked.name} · {clock(asked.time_s, 1)}"
    return (
        f'<div class="rm-asked">{portrait(asked.picture, asked.emotion)}<div><h2>Moments like this one</h2>'
        f"<p>{_feeling(asked.emotion, asked.confidence)}</p>"
        f'<p class="rm-quiet"><a href="{escape(links.moment(asked.query.clip, asked.time_s), quote=True)}">'
        f"{escape(where)}</a></p>"
        '<p class="rm-quiet"><a href="./search">choose another face</a></p></div></div>'
    )


def portrait(picture: bytes, emotion: str) -> str:
    """Return a face as a picture, or what stands in its place."""
    if not picture:
        return '<div class="rm-blank">picture of the face not kept</div>'
    source = "data:image/jpeg;base64," + b64encode(picture).decode("ascii")
    return f'<img src="{source}" alt="{emotion} face" width="112" height="112" decoding="sync">'


def _card(faces: Faces, place: int, picture: bytes, lead: _Lead, likeness: str = "", more: str = "") -> str:
    emotion = EMOTIONS[faces.emotion[place]]
    return (
        f'<section class="rm-hit"><a href="{_quoted(lead.address)}" aria-label="{_quoted(lead.label)}">'
        f"{portrait(picture, emotion)}</a>{likeness}"
        f"<p>{_feeling(emotion, float(faces.confidence[place]))}</p>"
        f'<p class="rm-source" title="{_quoted(faces.name)}">{escape(faces.name)}</p>'
        f'<p class="rm-quiet">{clock(float(faces.time_s[place]), 1)}{more}</p></section>'
    )


def _alike(faces: Faces, place: int) -> str:
    return links.alike(faces.clip, int(faces.track[place]), int(faces.frame[place]))


def _quoted(text: str) -> str:
    return escape(text, quote=True)


def _likeness(similarity: float) -> str:
    share = _percent(similarity)
    return f'<p class="rm-likeness"><b>{similarity:.2f}</b><i><i style="width:{share}"></i></i></p>'


def _feeling(emotion: str, confidence: float) -> str:
    return f'<i class="rm-dot" style="background:{COLOURS[emotion]}"></i> {emotion} {_percent(confidence)}'


def _percent(share: float) -> str:
    return f"{100 * max(share, 0):.0f}%"
