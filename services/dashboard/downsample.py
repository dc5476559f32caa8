"""Fewer points for a chart, so that the browser draws a two-hour clip as fast as a short one."""

import numpy as np
from numpy.typing import NDArray

_FINEST_S = 2.0**-10


def thin(time_s: NDArray[np.float64], values: NDArray[np.float32], limit: int = 600) -> NDArray[np.int64]:
    """Return the ascending indices of at most `limit` rows that keep the shape of all series at once.

    `time_s` [N] ascending, `values` [N, K]; limit at least 4. Min/max decimation carried over to K series
    that share their rows: each bucket of time keeps the row furthest from its mean and the row furthest from
    that one (for K = 1 its minimum and its maximum), so that a spike of one frame stays visible. The buckets
    lie on a fixed grid whose width is a power of two in seconds: while a series grows, what is drawn of its
    past stays as it is until the width doubles. First and last row always stay.
    """
    count = len(time_s)
    if count <= limit:
        return np.arange(count)
    width = _bucket_width(float(time_s[0]), float(time_s[-1]), (limit - 2) // 2)
    bucket = np.floor(time_s / width)
    starts = np.flatnonzero(np.diff(bucket, prepend=-np.inf))
    segment = np.cumsum(np.diff(bucket, prepend=bucket[0]) > 0, dtype=np.int64)
    sizes = np.diff(np.append(starts, count))
    means = np.add.reduceat(values.astype(np.float64), starts, axis=0) / sizes[:, None]
    far = _furthest(values, means, segment, starts)
    opposite = _furthest(values, values[far], segment, starts)
    return np.unique(np.concatenate([far, opposite, [0, count - 1]]))


def _bucket_width(first: float, last: float, buckets: int) -> float:
    width = _FINEST_S
    while np.floor(last / width) - np.floor(first / width) + 1 > buckets:
        width *= 2
    return width


def _furthest(
    values: NDArray[np.float32],
    references: NDArray[np.floating],
    segment: NDArray[np.int64],
    starts: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return for each segment the first row that lies furthest from the segment's reference [S, K]."""
    distance = np.square(values - references[segment]).sum(axis=1)
    furthest = np.maximum.reduceat(distance, starts)
    rows = np.flatnonzero(distance == furthest[segment])
    return rows[np.unique(segment[rows], return_index=True)[1]]
