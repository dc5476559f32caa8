"""What a person has decided about a batch of faces → the corrections on disk."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from services.dashboard.review.doubtful import Doubt
from shared import corrections
from shared.corrections import NO_FACE, Correction, Label
from shared.emotions import EMOTIONS
from shared.folders import printable

TAKEN_BACK: Final = ""
"""In place of an emotion: the face is undecided again."""


def keep(folder: Path, doubts: Sequence[Doubt], decided: object) -> None:
    """Bring the corrections in a folder in line with what was decided: emotions or `NO_FACE` by faces' keys.

    Nothing changes where nothing has been decided since. What the browser sends is not trusted: whatever is
    no such answer for a face of the batch is passed over. Raises DataError as `shared.corrections.put`.
    """
    labels = _checked(doubts, decided)
    if not labels:
        return
    held = {one.picture: one.label for one in corrections.read(folder)}
    new = {
        _correction(one, labels[one.key]): one.picture
        for one in doubts
        if labels.get(one.key, TAKEN_BACK) not in (TAKEN_BACK, held.get(one.key))
    }
    gone = [key for key, label in labels.items() if label == TAKEN_BACK and key in held]
    if new:
        corrections.put(folder, new)
    if gone:
        corrections.withdraw(folder, gone)


def _checked(doubts: Sequence[Doubt], decided: object) -> dict[str, str]:
    keys = {one.key for one in doubts}
    known: Mapping[Any, Any] = decided if isinstance(decided, Mapping) else {}
    answers = (*EMOTIONS, NO_FACE, TAKEN_BACK)
    return {key: label for key, label in known.items() if key in keys and label in answers}


def _correction(doubt: Doubt, label: str) -> Correction:
    faces, place = doubt.faces, doubt.place
    return Correction(
        label=cast(Label, label),
        predicted=EMOTIONS[faces.emotion[place]],
        confidence=min(float(faces.confidence[place]), 1.0),
        model=printable(faces.model),
        clip=printable(faces.clip),
        content=printable(faces.content),
        name=printable(faces.name),
        frame=int(faces.frame[place]),
        face=int(faces.face[place]),
        track=int(faces.track[place]),
        time_s=float(faces.time_s[place]),
        decided_s=time.time(),
    )
