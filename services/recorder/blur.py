"""Faces made unrecognisable in an annotated video."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.messages import Box, Reading

CELLS: Final = 6
"""Colours that are left of a face and its surroundings, in each direction."""
MARGIN: Final = 0.35
"""Surroundings that are blurred with a face, on each side, in sides of its box: hair, ears and chin."""
HOLD: Final = 25
"""Frames for which a face's place stays blurred before its first and after its last detection in a shot."""


def blur_faces(image: NDArray[np.uint8], boxes: Iterable[Box]) -> NDArray[np.uint8]:
    """Return a frame of whose faces `CELLS` × `CELLS` mean colours are left, RGB uint8 [H, W, 3].

    Boxes are in pixels and may reach beyond the frame.
    """
    blurred = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        margin_x, margin_y = round(MARGIN * box.w), round(MARGIN * box.h)
        left, right = max(box.x - margin_x, 0), min(box.x + box.w + margin_x, width)
        top, bottom = max(box.y - margin_y, 0), min(box.y + box.h + margin_y, height)
        if left >= right or top >= bottom:
            continue
        size = right - left, bottom - top
        cells = min(CELLS, size[0]), min(CELLS, size[1])
        means = cv2.resize(blurred[top:bottom, left:right], cells, interpolation=cv2.INTER_AREA)
        blurred[top:bottom, left:right] = cv2.resize(means, size, interpolation=cv2.INTER_LINEAR)
    return blurred


def boxes_to_blur(readings: Iterable[Reading]) -> dict[int, list[Box]]:
    """Return the boxes to blur in each frame, by the frame's number.

    Between two detections of a track its box moves in a straight line; before the first and after the last
    one it stays for `HOLD` frames, though not into a shot that has faces of its own. So the frames in which
    the detector misses a face for a moment show it no more than the others.
    """
    tracks: dict[tuple[int, int], dict[int, Box]] = defaultdict(dict)
    shots: dict[int, int] = {}
    for reading in readings:
        place = reading.place
        tracks[place.shot, place.track][place.frame] = place.box
        shots[place.frame] = place.shot
    boxes: dict[int, list[Box]] = defaultdict(list)
    for (shot, _), seen in tracks.items():
        for frame, box in _filled(seen).items():
            if shots.get(frame, shot) == shot:
                boxes[frame].append(box)
    return boxes


def _filled(seen: dict[int, Box]) -> dict[int, Box]:
    frames = sorted(seen)
    filled = dict(seen)
    for before, after in pairwise(frames):
        for frame in range(before + 1, after):
            filled[frame] = _between(seen[before], seen[after], (frame - before) / (after - before))
    for step in range(1, HOLD + 1):
        filled[frames[0] - step] = seen[frames[0]]
        filled[frames[-1] + step] = seen[frames[-1]]
    return filled


def _between(one: Box, other: Box, share: float) -> Box:
    """Return a box on the way from one to the other, as large as the larger of them."""
    w, h = max(one.w, other.w), max(one.h, other.h)
    centre_x, centre_y = (_mixed(a, b, share) for a, b in zip(_centre(one), _centre(other), strict=True))
    return Box(round(centre_x - w / 2), round(centre_y - h / 2), w, h)


def _centre(box: Box) -> Sequence[float]:
    return box.x + box.w / 2, box.y + box.h / 2


def _mixed(one: float, other: float, share: float) -> float:
    return one + share * (other - one)
