"""Faces → HTML cards. Every text from outside is escaped here."""

from collections.abc import Mapping, Sequence
from html import escape

from services.dashboard import pictures
from services.dashboard.search import links
from services.dashboard.times import clock
from services.dashboard.view import Answer, Moment
from shared.emotions import COLOURS, EMOTIONS
from shared.errors import MessageError
from shared.messages import Neighbour

NO_GALLERY = "no gallery yet: neighbours appear once a first clip is finished"


def faces(
    clip: str,
    found: Sequence[tuple[Moment, Answer | None]],
    names: Mapping[int, str],
    strength: float = 0.6,
) -> str:
    """Return the cards of explained faces of a clip; `names` says what a track is called."""
    cards = [
        face(moment, answer, names[moment.track], strength, links.alike(clip, moment.track, moment.frame))
        for moment, answer in found
    ]
    return f'<div class="rm-faces">{"".join(cards)}</div>'


def face(moment: Moment, answer: Answer | None, name: str, strength: float = 0.6, alike: str = "") -> str:
    """Return one face's card: aligned face, the same under its map, seven confidence bars, neighbours.

    `strength` (0–1) is that of the map; at 0 there is none. `alike` is where faces like this one are found.
    """
    more = f'<a href="{escape(alike, quote=True)}">find alike</a> · ' if alike else ""
    return (
        '<section class="rm-card"><header>'
        f"<b>{escape(name)}</b><span>{more}{clock(moment.time_s, 1)}</span></header>"
        f'<div class="rm-face">{_pictures(moment, strength)}{bars(moment.probabilities)}</div>'
        f"{neighbours(answer, moment)}</section>"
    )


def bars(probabilities: Sequence[float]) -> str:
    """Return the seven confidences [7] as horizontal bars, the highest one bold."""
    highest = max(probabilities)
    rows = [
        f'<li class="{"rm-top" if value == highest else ""}"><span>{emotion}</span>'
        f'<i><i style="width:{100 * value:.1f}%;background:{COLOURS[emotion]}"></i></i>'
        f"<span>{100 * value:.0f} %</span></li>"
        for emotion, value in zip(EMOTIONS, probabilities, strict=True)
    ]
    return f'<ul class="rm-bars">{"".join(rows)}</ul>'


def neighbours(answer: Answer | None, moment: Moment) -> str:
    """Return the nearest gallery faces and whether they agree, or why there are none."""
    if answer is None or not answer.nearest:
        return f'<p class="rm-quiet">{NO_GALLERY}</p>'
    verdict = "agree" if answer.agrees else "disagree"
    at = "" if answer.frame == moment.frame else f" at {clock(answer.time_s, 1)}"
    rows = "".join(_neighbour(one, moment.emotion) for one in answer.nearest)
    head = f'<p class="rm-quiet">neighbours{at} <b class="rm-{verdict}">{verdict}</b></p>'
    return f'{head}<ol class="rm-near">{rows}</ol>'


def _pictures(moment: Moment, strength: float) -> str:
    shown = [
        (0.0, f"{moment.emotion} face"),
        *([(strength, "where the model looked")] if strength > 0 else []),
    ]
    try:
        pictures_shown = "".join(
            f'<img src="{pictures.explained(moment.explanation, each)}" alt="{text}" decoding="sync"'
            ' width="112" height="112">'
            for each, text in shown
        )
    except MessageError as error:
        pictures_shown = f'<div class="rm-blank">{escape(str(error))}</div>'
    return f'<div class="rm-pictures">{pictures_shown}</div>'


def _neighbour(one: Neighbour, emotion: str) -> str:
    colour = COLOURS.get(one.label, "#888888")
    where = one.source if one.time_s is None else f"{one.source} · {clock(one.time_s, 1)}"
    same = "✓" if one.label == emotion else "≠"
    return (
        f'<li><i class="rm-dot" style="background:{colour}"></i><span>{escape(one.label)} {same}</span>'
        f'<span class="rm-source" title="{escape(where, quote=True)}">{escape(where)}</span>'
        f"<span>{one.similarity:.2f}</span></li>"
    )
