"""What the player in the browser is given: plain data that becomes JSON."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dashboard.clip import footage
from services.dashboard.clip.footage import Version
from services.dashboard.clip.lanes import Lane
from services.dashboard.clip.series import drawn, empty_stretches, smooth
from services.dashboard.view import View
from shared.emotions import COLOURS, EMOTIONS
from shared.figures.durations import player_shift
from shared.people import Note
from shared.queues.clips import Clip

FEW: Final = 8
"""Lanes that are shown at first."""

_CUTS: Final = 200
_SIDE: Final = 64
_UNPLAYABLE: Final = (
    "this browser cannot play the clip; analysed with --annotate or REELMOOD_ANNOTATE=1 it comes with a video"
    " that every browser plays"
)
_GONE: Final = "there is no video to play: the file is no longer in Reelmood's folders"
_UNRECORDED: Final = "there is no video to play: this live source is not recorded"
_BLURRED: Final = (
    "there is no video to play: faces must not be recognised here; analysed with --annotate or"
    " REELMOOD_ANNOTATE=1 the clip comes with a video in which they are blurred"
)


@dataclass(frozen=True)
class Look:
    """How the timeline is drawn: `stacked` or as lines, smoothed over so many seconds, the part in view."""

    stacked: bool = True
    smoothing_s: float = 0.0
    window: tuple[float, float] | None = None


def payload(
    view: View,
    series: tuple[NDArray[np.float64], NDArray[np.float32]],
    lanes: Sequence[Lane],
    end_s: float,
    look: Look,
) -> dict[str, Any]:
    """Return what is drawn of a view: curves of `series` (times [N], probabilities [N, 7]), marks and lanes.

    `end_s` is where the time axis ends. Curves have at most about 600 points, whatever the clip's length, and
    as many again for the part in view.
    """
    time_s, probabilities = series
    cuts = sorted(view.shots.values())[1:]
    smoothed = smooth(time_s, probabilities, look.smoothing_s, cuts, view.frame_s)
    whole = (0.0, end_s)
    return {
        "clip": view.clip,
        "end": end_s,
        "last": max(view.last_s, 0.0),
        "offset": offset_s(view),
        "frame": view.frame_s,
        "style": "stacked" if look.stacked else "lines",
        "overview": drawn(time_s, smoothed, whole, view.frame_s),
        "detail": _detail(time_s, smoothed, look.window, view.frame_s),
        "cuts": [round(cut, 3) for cut in cuts[:: max(-(-len(cuts) // _CUTS), 1)]],
        "empty": [(round(start, 3), round(stop, 3)) for start, stop in empty_stretches(view)],
        "lanes": [{"person": lane.person, "name": lane.name, "runs": lane.runs} for lane in lanes],
        "few": FEW,
        "emotions": EMOTIONS,
        "colours": [COLOURS[emotion] for emotion in EMOTIONS],
    }


def screen(clip: Clip, versions: Sequence[Version], blurred: bool) -> dict[str, Any]:
    """Return what there is to play, and what is said where there is nothing."""
    return {
        "sources": [{"version": one, "address": footage.address(clip.id, one)} for one in versions],
        "says": _BLURRED if blurred else _UNRECORDED if clip.live else _GONE,
        "unplayable": _UNPLAYABLE,
    }


def with_faces(lanes: Sequence[Mapping[str, Any]], faces: Mapping[int, bytes]) -> list[dict[str, Any]]:
    """Return the lanes with a small picture of each person of whom there is one (JPEG, by person)."""
    return [{**lane, "face": thumbnail(faces.get(lane["person"], b""))} for lane in lanes]


def noted(notes: Sequence[Note]) -> list[tuple[float, str]]:
    """Return notes as the player shows them."""
    return [(note.time_s, note.text) for note in notes]


def offset_s(view: View) -> float:
    """Return what a player's clock lacks to the clip's, which players start at 0 s when it starts oddly."""
    return 0.0 - player_shift(min(view.shots.values(), default=0.0))


@lru_cache(maxsize=512)
def thumbnail(picture: bytes) -> str:
    """Return a JPEG as a small data URI; an empty one where there is no picture, or a damaged one."""
    decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR) if picture else None
    if decoded is None:
        return ""
    small = cv2.resize(decoded, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])[1]
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def _detail(
    time_s: NDArray[np.float64],
    probabilities: NDArray[np.float32],
    window: tuple[float, float] | None,
    frame_s: float,
) -> dict[str, Any] | None:
    """Return the part in view and half as much on both sides of it, so that there is room to pan."""
    if window is None:
        return None
    start, stop = window
    margin = (stop - start) / 2
    part = start - margin, stop + margin
    return {"from": part[0], "to": part[1], **drawn(time_s, probabilities, part, frame_s, limit=1200)}
