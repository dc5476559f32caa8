"""Seven probabilities over time, as they are drawn: smoothed, thinned, broken where no face was seen."""

from collections.abc import Iterable
from math import ceil
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.dashboard.downsample import thin
from services.dashboard.view import View
from shared.emotions import EMOTIONS

SHORTEST_GAP_S: Final = 0.4
"""Seconds without a face that are shown as such."""

_MOST_STRETCHES: Final = 300


def smooth(
    time_s: NDArray[np.float64],
    probabilities: NDArray[np.float32],
    width_s: float,
    cuts: Iterable[float],
    frame_s: float,
) -> NDArray[np.float32]:
    """Return the means of `probabilities` [N, 7] over `width_s` seconds around each of `time_s` [N].

    `time_s` ascends, `frame_s` is the time between two frames. No mean reaches over a cut, or over a stretch
    without a face that breaks the lines of `drawn`. Seven that sum to 1 still do.
    """
    if width_s <= 0 or len(time_s) < 2:
        return probabilities
    at_cuts = np.searchsorted(time_s, np.asarray(sorted(cuts), np.float64))
    starts = np.union1d(_gaps(time_s, frame_s) + 1, at_cuts)
    edges = np.concatenate([[0], starts[(starts > 0) & (starts < len(time_s))], [len(time_s)]])
    piece = np.searchsorted(edges, np.arange(len(time_s)), "right") - 1
    low = np.maximum(np.searchsorted(time_s, time_s - width_s / 2, "left"), edges[piece])
    high = np.minimum(np.searchsorted(time_s, time_s + width_s / 2, "right"), edges[piece + 1])
    sums = np.concatenate([np.zeros((1, probabilities.shape[1])), np.cumsum(probabilities, 0, np.float64)])
    means: NDArray[np.float32] = ((sums[high] - sums[low]) / (high - low)[:, None]).astype(np.float32)
    return means


def drawn(
    time_s: NDArray[np.float64],
    probabilities: NDArray[np.float32],
    window: tuple[float, float],
    frame_s: float,
    limit: int = 600,
) -> dict[str, Any]:
    """Return the part of a series in `window`, in seconds: `t` in seconds, `p` seven lists in per cent.

    `time_s` [N] ascends, `probabilities` is [N, 7], `frame_s` the time between two frames. At most `limit`
    points, and one on each side of the window, so that lines run to the edge. In `p`, None breaks the lines
    where no face was seen for more than three frames (`SHORTEST_GAP_S` at least).
    """
    start = max(int(np.searchsorted(time_s, window[0], "left")) - 1, 0)
    end = int(np.searchsorted(time_s, window[1], "right")) + 1
    time_s, probabilities = time_s[start:end], probabilities[start:end]
    gaps = _gaps(time_s, frame_s)
    kept = np.union1d(
        thin(time_s, probabilities, max(limit - 2 * len(gaps), limit // 2)), _edges(gaps, limit)
    )
    after = np.flatnonzero(np.isin(kept, gaps)) + 1
    times = np.insert(time_s[kept], after, time_s[kept][after - 1] + 0.001)
    rows = np.insert(np.arange(len(kept)), after, -1).tolist()
    percent = np.round(probabilities[kept].astype(np.float64) * 100, 1).T.tolist()
    return {
        "t": np.round(times, 3).tolist(),
        "p": [[None if row < 0 else values[row] for row in rows] for values in percent],
    }


def empty_stretches(view: View) -> list[tuple[float, float]]:
    """Return from when to when a clip shows no read face, in seconds, the longest 300.

    What comes after the latest face of a clip under way is not read yet, and none.
    """
    seen = np.unique(view.time_s)
    until = view.last_s if view.archived or not len(seen) else seen[-1]
    edges = np.concatenate([[min(view.shots.values(), default=0.0)], seen, [until]])
    steps = np.diff(edges)
    steps[1:-1] -= view.frame_s
    long = np.flatnonzero(steps > max(2 * view.frame_s, SHORTEST_GAP_S))
    longest = np.sort(long[np.argsort(-steps[long], kind="stable")[:_MOST_STRETCHES]])
    after = np.where(longest > 0, edges[longest] + view.frame_s, edges[longest])
    return [(float(start), float(stop)) for start, stop in zip(after, edges[longest + 1], strict=True)]


def faces_of(view: View, persons: pd.Series) -> pd.DataFrame:
    """Return the read faces of a view as `shared.figures` takes them.

    `persons` maps tracks to persons, who take the place of the column `track`; tracks that it lacks are left
    out.
    """
    highest = view.probabilities.argmax(axis=1)
    return (
        pd.DataFrame(
            {
                "track": persons.reindex(view.track).to_numpy(),
                "time_s": view.time_s,
                "end_s": view.time_s + view.frame_s,
                "emotion": np.asarray(EMOTIONS, object)[highest],
                "confidence": np.take_along_axis(view.probabilities, highest[:, None], axis=1)[:, 0],
            }
        )
        .dropna(subset="track")
        .astype({"track": "int64"})
        .sort_values(["track", "time_s"], ignore_index=True)
    )


def _gaps(time_s: NDArray[np.float64], frame_s: float) -> NDArray[np.intp]:
    """Return the rows after which no face was seen for more than three frames, `SHORTEST_GAP_S` at least."""
    return np.flatnonzero(np.diff(time_s) > max(3 * frame_s, SHORTEST_GAP_S))


def _edges(gaps: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    """Return both rows of each gap, of evenly chosen gaps where there are more than the limit allows."""
    chosen = gaps[:: max(ceil(4 * len(gaps) / limit), 1)]
    return np.concatenate([chosen, chosen + 1])
