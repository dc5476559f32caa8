"""The timeline as an ECharts option object (https://echarts.apache.org/en/option.html)."""

from collections.abc import Iterable, Sequence
from math import ceil, floor, log2, log10
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.dashboard.downsample import thin
from shared.emotions import COLOURS, EMOTIONS

HEIGHT: Final = 340
"""Height of the timeline in pixels."""

_LABELLED_SHOTS: Final = 8
_MARKED_SHOTS: Final = 120
_SHORTEST_GAP_S: Final = 0.4

Option = dict[str, Any]


def timeline(
    time_s: NDArray[np.float64],
    probabilities: NDArray[np.float32],
    shots: Iterable[float],
    window: tuple[float, float],
    frame_s: float = 0.0,
    stacked: bool = True,
    limit: int = 600,
) -> Option:
    """Return the chart of seven probabilities over time.

    `time_s` [N] in seconds, ascending; `probabilities` [N, 7] in [0, 1]; `shots` the times at which shots
    begin; `window` the part to show, in seconds; `frame_s` the time between two frames. At most `limit`
    points of each series lie in the window. Where the face was away the lines break.
    """
    first, last = window
    rows = table(time_s, probabilities, window, frame_s, limit)
    return {
        "animation": False,
        "useUTC": True,
        "aria": {"enabled": True},
        "grid": {"left": 8, "right": 12, "top": 56, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": "center", "selectedMode": False, "icon": "roundRect", "itemWidth": 12},
        "tooltip": {"trigger": "axis", "confine": True, "formatter": _tooltip()},
        "dataset": {"source": rows},
        "xAxis": {
            "type": "time",
            "min": round(first * 1000),
            "max": round(last * 1000),
            "axisLabel": {"formatter": _clock_template(last - first, last), "hideOverlap": True},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "max": 100,
            "interval": 25,
            "axisLabel": {"formatter": "{value} %"},
        },
        "series": [_series(emotion, stacked) for emotion in EMOTIONS[:-1]]
        + [
            _series(EMOTIONS[-1], stacked) | {"markLine": _shot_marks([s for s in shots if first < s < last])}
        ],
    }


def table(
    time_s: NDArray[np.float64],
    probabilities: NDArray[np.float32],
    window: tuple[float, float],
    frame_s: float,
    limit: int,
) -> pd.DataFrame:
    """Return what the chart draws: `time` in milliseconds, `at` as text, the seven in per cent.

    Arguments as for `timeline`. One row on each side of the window stays, so that lines run to the edge; an
    empty row breaks the lines where no face was seen for more than three frames (0.4 s at least).
    """
    start = max(int(np.searchsorted(time_s, window[0], "left")) - 1, 0)
    end = int(np.searchsorted(time_s, window[1], "right")) + 1
    time_s, probabilities = time_s[start:end], probabilities[start:end]
    gaps = np.flatnonzero(np.diff(time_s) > max(3 * frame_s, _SHORTEST_GAP_S))
    kept = np.union1d(
        thin(time_s, probabilities, max(limit - 2 * len(gaps), limit // 2)), _edges(gaps, limit)
    )
    before_gap = np.flatnonzero(np.isin(kept, gaps))
    percent = np.round(probabilities[kept].astype(np.float64) * 100, 1)
    values = np.insert(percent, before_gap + 1, np.nan, axis=0)
    times = np.insert(time_s[kept], before_gap + 1, time_s[kept][before_gap] + 0.001)
    return pd.DataFrame(
        {
            "time": np.rint(times * 1000).astype(np.int64),
            "at": [clock(time, digits=1) for time in times],
            **{emotion: values[:, column] for column, emotion in enumerate(EMOTIONS)},
        }
    )


def horizon(last_s: float, frame_s: float, frames_expected: int, growing: bool) -> float:
    """Return where the time axis of a clip ends, in seconds.

    It is the expected length, rounded up; of a growing clip of unknown length the next of 15, 30, 60, … So it
    stays put while the clip is read, and the timeline fills up instead of being squeezed.
    """
    length = max(last_s + frame_s, frames_expected * frame_s, 0.1)
    if growing and not frames_expected:
        return 15.0 * 2.0 ** max(ceil(log2(length / 15)), 0)
    step = 10.0 ** (floor(log10(length)) - 1)
    return round(ceil(round(length / step, 6)) * step, 6)


def ticks(end: float) -> list[float]:
    """Return the times, 0 to `end` in about 100 steps, between which a part can be chosen."""
    return [float(tick) for tick in np.round(np.linspace(0.0, end, 101), 3)]


def clock(seconds: float, digits: int = 0) -> str:
    """Return a time as people write it, hours only where there are any: 3:07, 1:02:03.5."""
    scaled = round(max(seconds, 0.0) * 10**digits)
    whole, rest = divmod(scaled, 10**digits)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{text}.{rest:0{digits}}" if digits else text


def _edges(gaps: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Return both rows of each gap, of evenly chosen gaps where there are more than the limit allows."""
    chosen = gaps[:: max(ceil(4 * len(gaps) / limit), 1)]
    return np.concatenate([chosen, chosen + 1])


def _series(emotion: str, stacked: bool) -> Option:
    series: Option = {
        "type": "line",
        "name": emotion,
        "encode": {"x": "time", "y": emotion},
        "itemStyle": {"color": COLOURS[emotion]},
        "lineStyle": {"color": COLOURS[emotion], "width": 1 if stacked else 2},
        "showSymbol": False,
        "connectNulls": False,
        "emphasis": {"disabled": True},
    }
    if stacked:
        series |= {"stack": "all", "areaStyle": {"color": COLOURS[emotion], "opacity": 0.75}}
    return series


def _shot_marks(starts: Sequence[float]) -> Option:
    shown = starts[:: ceil(len(starts) / _MARKED_SHOTS)] if starts else starts
    return {
        "silent": True,
        "symbol": "none",
        "animation": False,
        "lineStyle": {"type": "dashed", "width": 1, "color": "#888888", "opacity": 0.8},
        "label": {
            "show": len(starts) <= _LABELLED_SHOTS,
            "formatter": "cut",
            "color": "#888888",
            "fontSize": 10,
        },
        "data": [{"xAxis": round(start * 1000)} for start in shown],
    }


def _tooltip() -> str:
    lines = [
        f'<span style="display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:6px;'
        f'background:{COLOURS[emotion]}"></span>{emotion} <b style="float:right;margin-left:14px">'
        f"{{@{emotion}}} %</b>"
        for emotion in EMOTIONS
    ]
    return "<br/>".join(["<b>{@at}</b>", *lines])


def _clock_template(span: float, last: float) -> str:
    if last >= 3600:
        return "{H}:{mm}:{ss}"
    return "{m}:{ss}.{S}" if span < 3 else "{m}:{ss}"
