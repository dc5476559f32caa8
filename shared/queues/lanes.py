"""Lanes: the streams of faces, so that a long clip's faces do not stand in front of everyone else's.

All faces of a clip go to one lane, that of clips about as long, and so they are read in order. Each lane has
its share of every batch, the first one half of it, as long as it holds any.
"""

from collections.abc import Sequence
from typing import Final

_LONGEST: Final = (250, 2500)
"""Frames of the longest clips in the first and in the second lane."""
_UNKNOWN: Final = 1
"""Lane of clips that do not say how long they are."""
_WEIGHTS: Final = (2, 1, 1)


def lane_of(frames: int) -> int:
    """Return the lane of a clip of so many frames; 0: nobody knows how many."""
    return sum(frames > longest for longest in _LONGEST) if frames else _UNKNOWN


def shares(lanes: Sequence[int], count: int, turn: int) -> list[int]:
    """Return how many of `count` entries each stream may give, by the lanes that the streams are.

    The shares come in turn, weighted by lane; `turn` says whose it is, any number.
    """
    cycle = [stream for stream, lane in enumerate(lanes) for _ in range(_WEIGHTS[lane])]
    shared = [0] * len(lanes)
    for place in range(turn, turn + count):
        shared[cycle[place % len(cycle)]] += 1
    return shared
