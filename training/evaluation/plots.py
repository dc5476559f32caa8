"""The pictures of a report: confusion matrices and reliability diagrams, as PNG.

Figures are made without pyplot, which keeps all of them in a global state.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation.calibration import Calibration
from training.metrics import Scores

BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
"""Two of the Okabe-Ito palette, told apart by colour-blind people."""
DPI: Final = 110
_PALE: Final = 0.55
"""Share of a row below which a cell is pale enough for black letters."""


def draw_confusion(by_truth: Mapping[str, Scores], out: Path) -> None:
    """Draw a confusion matrix for each truth, side by side, as the PNG `out`.

    A cell's colour and upper number are its share of the row, in percent; the lower number counts pictures.
    Pictures without a prediction are in a last column of their own, where there are any.
    """
    figure = Figure(figsize=(6.4 * len(by_truth), 6), layout="constrained")
    panels = figure.subplots(1, len(by_truth), squeeze=False)[0]
    for axes, (truth, scores) in zip(panels, by_truth.items(), strict=True):
        _confusion(axes, scores)
        summary = f"accuracy {100 * scores.accuracy:.2f} %, {scores.count:,} pictures"
        axes.set_title(f"{truth}: {summary}", fontsize=11)
    figure.supxlabel("in each cell: % of its row (pictures)", fontsize=8, color="dimgrey")
    figure.savefig(out, dpi=DPI)


def draw_reliability(by_truth: Mapping[str, Calibration], out: Path) -> None:
    """Draw a reliability diagram for each truth, side by side, as the PNG `out`.

    Above, the accuracy of each bin of confidence beside the diagonal of perfect calibration; below, the share
    of the predictions that each bin holds.
    """
    figure = Figure(figsize=(5 * len(by_truth), 6), layout="constrained")
    rows = figure.subplots(2, len(by_truth), squeeze=False, sharex=True, height_ratios=(3, 1))
    for column, (truth, calibration) in enumerate(by_truth.items()):
        _reliability(rows[0, column], rows[1, column], calibration)
        rows[0, column].set_title(f"{truth}: ECE {100 * calibration.ece:.2f} %", fontsize=11)
    handles, names = rows[0, 0].get_legend_handles_labels()
    figure.legend(handles[::-1], names[::-1], loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    figure.savefig(out, dpi=DPI)


def _confusion(axes: Axes, scores: Scores) -> None:
    counts, columns = scores.confusion, scores.labels
    if scores.missed.any():
        counts, columns = np.column_stack((counts, scores.missed)), (*columns, "no face")
    shares = counts / np.maximum(scores.support, 1)[:, None]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{100 * share:.0f}\n({counts[row, column]})"
        colour = "black" if share < _PALE else "white"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(scores.labels)), scores.labels)
    axes.set(xlabel="prediction", ylabel="truth")


def _reliability(above: Axes, below: Axes, calibration: Calibration) -> None:
    filled = calibration.count > 0
    width = 1 / len(filled)
    left = width * np.arange(len(filled))[filled]
    accuracy = calibration.accuracy[filled]
    share = 100 * calibration.count[filled] / max(calibration.count.sum(), 1)
    above.bar(left, accuracy, width, align="edge", color=BLUE, edgecolor="white", label="accuracy")
    above.plot(
        calibration.confidence[filled],
        accuracy,
        "o",
        color=ORANGE,
        markeredgecolor="black",
        markersize=5,
        clip_on=False,
        label="at the bin's mean confidence",
    )
    above.plot((0, 1), (0, 1), "--", color="black", linewidth=1, label="perfect calibration")
    above.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    below.bar(left, share, width, align="edge", color=BLUE, edgecolor="white")
    below.set(xlabel="confidence", ylabel="% of predictions")
