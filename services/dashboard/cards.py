"""Faces → HTML cards. Every text from outside is escaped here."""

from collections.abc import Sequence
from html import escape

from services.dashboard import pictures
from services.dashboard.charts import clock
from services.dashboard.view import Answer, Moment, View
from shared.emotions import COLOURS, EMOTIONS
from shared.errors import MessageError
from shared.messages import Neighbour

NO_GALLERY = "no gallery yet: neighbours appear once a first clip is finished"


def faces(view: View, first: int | None, overlay: bool, limit: int = 12) -> str:
    """Return the cards of the tracks' latest explained faces: `first`, then those of the newest shots."""
    newest = sorted(view.moments.values(), key=lambda one: (one.track != first, -one.shot, one.track))
    cards = [face(moment, view.answers.get(moment.track), overlay) for moment in newest[:limit]]
    return f'<div class="rm-faces">{"".join(cards)}</div>'


def face(moment: Moment, answer: Answer | None, overlay: bool) -> str:
    """Return one face's card: picture, seven confidence bars, nearest neighbours."""
    try:
        source = pictures.explained(moment.explanation, overlay)
        picture = f'<img src="{source}" alt="{moment.emotion} face" decoding="sync" width="112" height="112">'
    except MessageError as error:
        picture = f'<div class="rm-blank">{escape(str(error))}</div>'
    return (
        '<section class="rm-card"><header>'
        f"<b>track {moment.track}</b><span>{clock(moment.time_s, 1)}</span></header>"
        f'<div class="rm-face">{picture}{bars(moment.probabilities)}</div>'
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


def _neighbour(one: Neighbour, emotion: str) -> str:
    colour = COLOURS.get(one.label, "#888888")
    where = one.source if one.time_s is None else f"{one.source} · {clock(one.time_s, 1)}"
    same = "✓" if one.label == emotion else "≠"
    return (
        f'<li><i class="rm-dot" style="background:{colour}"></i><span>{escape(one.label)} {same}</span>'
        f'<span class="rm-source" title="{escape(where, quote=True)}">{escape(where)}</span>'
        f"<span>{one.similarity:.2f}</span></li>"
    )
