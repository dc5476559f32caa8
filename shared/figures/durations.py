"""How long each frame of a clip is shown."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
