"""Where the confidence bars of each face go on an annotated frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.messages import Box

SIDES: Final = ("right", "left", "below", "above", "over")
"""Sides of a face, the preferred first; `over` covers the face and always has room."""

_SIDE_COST: Final = {"right": 0.0, "left": 0.02, "below": 0.06, "above": 0.08, "over": 1.0}
_COMPACT_COST: Final = 0.15
_MOVE_COST: Final = 0.15


@dataclass(frozen=True)
class Panel:
    """The place of a face's bars, in pixels: the side of the face, left, top, width, height.

    A compact panel has bars only, a full one names and numbers too.
    """

    side: str
    compact: bool
    x: int
    y: int
    w: int
    h: int


def place_panels(
    boxes: Mapping[int, Box],
    before: Mapping[int, Panel],
    frame_size: tuple[int, int],
    full_size: tuple[int, int],
    compact_size: tuple[int, int],
    gap: int,
) -> dict[int, Panel]:
    """Return a panel for each track's box (its own box in pixels), inside the frame.

    `frame_size`, `full_size` and `compact_size` are (width, height); `gap` lies between box and panel. Large
    faces choose first. A panel goes where it covers the least of faces and of other panels; it keeps the side
    that it had `before` unless another one is clearly better, and stands still while its face moves by less
    than half the gap, so that it can be read.
    """
    sizes = [(True, compact_size)]
    if full_size[0] <= frame_size[0] and full_size[1] <= frame_size[1]:
        sizes.insert(0, (False, full_size))
    placed: dict[int, Panel] = {}
    for track, box in sorted(boxes.items(), key=lambda item: (-item[1].w * item[1].h, item[0])):
        others = [_corners(other) for key, other in boxes.items() if key != track]
        others += [_corners(panel) for panel in placed.values()]
        previous = before.get(track)
        candidates = [
            _settle(panel, previous, gap)
            for compact, size in sizes
            for panel in _candidates(box, frame_size, size, compact, gap)
        ]
        placed[track] = min(candidates, key=lambda panel: _cost(panel, box, others, previous))
    return placed


def _candidates(
    box: Box, frame_size: tuple[int, int], size: tuple[int, int], compact: bool, gap: int
) -> list[Panel]:
    w, h = min(size[0], frame_size[0]), min(size[1], frame_size[1])
    centre = box.x + (box.w - w) // 2
    corners = {
        "right": (box.x + box.w + gap, box.y),
        "left": (box.x - gap - w, box.y),
        "below": (centre, box.y + box.h + gap),
        "above": (centre, box.y - gap - h),
        "over": (box.x + box.w - w, box.y + box.h - h),
    }
    return [
        Panel(side, compact, _clamp(x, frame_size[0] - w), _clamp(y, frame_size[1] - h), w, h)
        for side, (x, y) in corners.items()
    ]


def _settle(panel: Panel, previous: Panel | None, gap: int) -> Panel:
    same = previous is not None and (previous.side, previous.compact, previous.w, previous.h) == (
        *(panel.side, panel.compact, panel.w, panel.h),
    )
    if previous is None or not same:
        return panel
    moved = max(abs(previous.x - panel.x), abs(previous.y - panel.y))
    return previous if 2 * moved <= gap else panel


def _cost(
    panel: Panel, box: Box, others: Sequence[tuple[int, int, int, int]], previous: Panel | None
) -> float:
    area = panel.w * panel.h
    here = _corners(panel)
    covered = sum(_overlap(here, other) for other in others) + 2 * _overlap(here, _corners(box))
    moved = previous is not None and (previous.side, previous.compact) != (panel.side, panel.compact)
    return covered / area + _SIDE_COST[panel.side] + _COMPACT_COST * panel.compact + _MOVE_COST * moved


def _corners(rectangle: Box | Panel) -> tuple[int, int, int, int]:
    return rectangle.x, rectangle.y, rectangle.x + rectangle.w, rectangle.y + rectangle.h


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> int:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def _clamp(value: int, highest: int) -> int:
    return min(max(value, 0), highest)
