"""Which boxes of successive frames are the same face."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from shared.messages import Box

_GAP_S: Final = 1.0
"""Longest time without a detection after which a face is still the same track."""
_REACH: Final = 1.0
"""Farthest that a face moves between two detections, in sides of its box."""
_GROWTH: Final = 2.0
"""Largest ratio of its box's sides between two detections."""
_IMPOSSIBLE: Final = 1e6


class Track(msgspec.Struct, frozen=True, array_like=True):
    """A face that is followed: its id, and where and when it was last detected."""

    id: int
    box: Box
    frame: int
    time_s: float


class Tracks(msgspec.Struct, frozen=True, array_like=True):
    """The faces that are followed in this shot, by id, and the next id of the clip."""

    live: tuple[Track, ...] = ()
    next_id: int = 0


def cut(tracks: Tracks) -> Tracks:
    """Return the tracks at the start of a new shot: none, and ids go on."""
    return Tracks((), tracks.next_id)


def expected(tracks: Tracks, frame: int, time_s: float, search_every_s: float) -> list[Box]:
    """Return the boxes where the faces of a frame are expected; none where it has to be searched as a whole.

    That is so once in `search_every_s`, when no face is followed, and when one was lost from sight a moment
    ago.
    """
    alive = _alive(tracks, frame, time_s)
    if any(track.frame != frame - 1 for track in alive):
        return []
    due = search_every_s <= 0 or any(
        track.time_s // search_every_s != time_s // search_every_s for track in alive
    )
    return [] if due else [track.box for track in alive]


def advance(tracks: Tracks, boxes: Sequence[Box], frame: int, time_s: float) -> tuple[Tracks, list[int]]:
    """Follow the faces into the next frame, and return each box's track id.

    The assignment minimises the sum of centre distance, in sides of the boxes, and 1 - IoU over all pairs
    (Hungarian method), and does not depend on the order of the boxes. A track ends after a second without a
    detection, but never from one frame to the next.
    """
    alive = _alive(tracks, frame, time_s)
    order = sorted(range(len(boxes)), key=lambda i: (boxes[i].x, boxes[i].y, boxes[i].w, boxes[i].h))
    found = [boxes[i] for i in order]
    costs = _costs(_array([track.box for track in alive]), _array(found))
    same = {
        int(box): alive[track].id
        for track, box in zip(*linear_sum_assignment(costs), strict=True)
        if costs[track, box] < _IMPOSSIBLE
    }
    next_id, ids = tracks.next_id, [0] * len(boxes)
    for position, index in enumerate(order):
        if position in same:
            ids[index] = same[position]
        else:
            ids[index], next_id = next_id, next_id + 1
    seen = {track: Track(track, box, frame, time_s) for track, box in zip(ids, boxes, strict=True)}
    live = {track.id: track for track in alive} | seen
    return Tracks(tuple(live[track] for track in sorted(live)), next_id), ids


def _alive(tracks: Tracks, frame: int, time_s: float) -> list[Track]:
    return [t for t in tracks.live if abs(time_s - t.time_s) <= _GAP_S or frame - t.frame <= 1]


def _array(boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
    return np.array([msgspec.structs.astuple(box) for box in boxes], np.float64).reshape(-1, 4)


def _costs(tracks: npt.NDArray[np.float64], boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the cost [T, B] of each pair of boxes (x, y, w, h); what cannot be one face is impossible."""
    one, other = tracks[:, None], boxes[None]
    low = np.maximum(one[..., :2], other[..., :2])
    high = np.minimum(one[..., :2] + one[..., 2:], other[..., :2] + other[..., 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    iou = shared / (one[..., 2:].prod(-1) + other[..., 2:].prod(-1) - shared)
    sides = np.sqrt(one[..., 2:].prod(-1)), np.sqrt(other[..., 2:].prod(-1))
    larger, smaller = np.maximum(*sides), np.minimum(*sides)
    apart = one[..., :2] + one[..., 2:] / 2 - other[..., :2] - other[..., 2:] / 2
    distance = np.hypot(apart[..., 0], apart[..., 1]) / larger
    return np.where((distance <= _REACH) & (larger <= _GROWTH * smaller), distance + 1 - iou, _IMPOSSIBLE)
