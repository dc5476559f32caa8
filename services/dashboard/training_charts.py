"""The curves of training runs as an ECharts option object (the paper's Fig. 4: validation over epochs)."""

from collections.abc import Sequence
from typing import Any, Final

from services.dashboard.training_view import Run

Option = dict[str, Any]

HEIGHT: Final = 340
"""Height of the curves in pixels."""

FIGURES: Final = {
    "label_accuracy": "accuracy, labels",
    "label_macro_f1": "macro F1, labels",
    "majority_accuracy": "accuracy, FER+ majority",
    "majority_macro_f1": "macro F1, FER+ majority",
    "train_accuracy": "training accuracy",
    "loss": "training loss",
}
"""What can be drawn: names in a history, and what people call them; all but the loss are shares."""

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a6cc4", "#8a8a8a")
"""Of the curves, in their order (Okabe and Ito's palette, told apart by colour-blind people too)."""


def figures_of(shown: Sequence[Run]) -> list[str]:
    """Return the figures that at least one run has."""
    return [name for name in FIGURES if any(name in row for run in shown for row in run.history)]


def curves(shown: Sequence[Run], figure: str) -> Option:
    """Return the chart of one figure of some runs over their epochs; shares are drawn in per cent."""
    is_share = figure != "loss"
    last = max((max(run.epochs, len(run.history)) for run in shown), default=1)
    return {
        "animation": False,
        "aria": {"enabled": True},
        "color": list(COLOURS),
        "grid": {"left": 8, "right": 20, "top": 40, "bottom": 28, "containLabel": True},
        "legend": {"type": "scroll", "top": 0, "left": "center", "icon": "roundRect", "itemWidth": 12},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {
            "type": "value",
            "name": "epoch",
            "nameLocation": "middle",
            "nameGap": 26,
            "min": 1,
            "max": max(last, 2),
            "minInterval": 1,
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "scale": True,
            "axisLabel": {"formatter": "{value} %" if is_share else "{value}"},
        },
        "series": [_series(run, figure, is_share) for run in shown],
    }


def _series(run: Run, figure: str, is_share: bool) -> Option:
    points = [
        [int(row["epoch"]), round(100 * row[figure], 2) if is_share else round(row[figure], 4)]
        for row in run.history
        if figure in row
    ]
    return {
        "type": "line",
        "name": run.name,
        "data": points,
        "symbol": "circle",
        "symbolSize": 6 if len(points) <= 40 else 3,
        "lineStyle": {"width": 2},
        "emphasis": {"disabled": True},
    }
