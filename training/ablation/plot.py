"""The picture of an ablation: accuracy and macro F1 of each setting, beside the paper's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.ablation.grid import way
from training.ablation.paper import published
from training.ablation.results import Row
from training.evaluation.plots import BLUE, DPI, ORANGE
from training.spec import DatasetName

_APART: Final = 0.12


def draw_tables(tables: Sequence[Sequence[Row]], dataset: DatasetName, out: Path) -> None:
    """Draw a panel for each table, side by side, as the PNG `out`; means with their deviation over seeds."""
    figure = Figure(figsize=(5.2 * len(tables), 4.6), layout="constrained")
    panels = figure.subplots(1, len(tables), squeeze=False, sharey=True)[0]
    for axes, rows in zip(panels, tables, strict=True):
        _draw(axes, rows, dataset)
        axes.set_title("all weights trained" if rows[0].rank == 0 else way(rows[0].rank), fontsize=11)
    panels[0].set_ylabel("% of the test split")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.savefig(out, dpi=DPI)


def _draw(axes: Axes, rows: Sequence[Row], dataset: DatasetName) -> None:
    papers = [published(dataset, row.preset, row.rank) for row in rows]
    kinds = (("accuracy", "accuracy", BLUE, -_APART), ("macro_f1", "macro F1", ORANGE, _APART))
    for figure, name, colour, shift in kinds:
        places = [place + shift for place in range(len(rows))]
        spreads = [getattr(row, figure) for row in rows]
        axes.errorbar(
            places,
            [100 * spread.mean for spread in spreads],
            [100 * (spread.deviation or 0) for spread in spreads],
            fmt="o",
            color=colour,
            capsize=4,
            label=name,
        )
        known = [
            (place, 100 * getattr(paper, figure))
            for place, paper in zip(places, papers, strict=True)
            if paper
        ]
        if known:
            axes.plot(*zip(*known, strict=True), "D", color=colour, fillstyle="none", label=f"{name}, paper")
    axes.set_xticks(range(len(rows)), [row.preset for row in rows])
    axes.grid(axis="y", alpha=0.3)
