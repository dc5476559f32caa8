"""How long each frame of a clip is shown, and from when on."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LATEST_START_S: Final = 10.0


def frame_durations(times: ArrayLike) -> NDArray[np.float64]:
    """Return the seconds that each frame is shown, float64 [N], never negative.

    `times` are presentation times in seconds [N], in order. A frame is shown until the next one; the last
    one as long as the frames before it usually were (their median), and a single frame has no duration.
    """
    moments = np.asarray(times, dtype=np.float64)
    if moments.size < 2:
        return np.zeros(moments.size)
    gaps = np.maximum(np.diff(moments), 0.0)
    return np.append(gaps, np.median(gaps))


def player_shift(start_s: float) -> float:
    """Return the seconds to add to a clip's times for players, when the clip starts at `start_s` seconds.

    Of a clip that starts before 0 s or after 10 s, players would show nothing for as long.
    """
    return 0.0 if 0 <= start_s <= _LATEST_START_S else -start_s
