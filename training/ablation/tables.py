"""Tables I and II of the paper with the figures of a grid, as Markdown, CSV and a picture."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from training.ablation.grid import Kept, way
from training.ablation.paper import SETTINGS, Figures, published
from training.ablation.plot import draw_tables
from training.ablation.results import Result, Row, Spread, summarise
from training.checkpoint import write_whole
from training.presets import PAPER
from training.spec import DatasetName

MARKDOWN_FILE: Final = "ablation.md"
CSV_FILE: Final = "ablation.csv"
PLOT_FILE: Final = "ablation.png"
_COLUMNS: Final = (
    "training",
    "setting",
    "seeds",
    "accuracy",
    "accuracy_sd",
    "macro_f1",
    "macro_f1_sd",
    "paper_accuracy",
    "paper_macro_f1",
    "trainable",
    "seconds",
)


def write_tables(out: Path, kept: Kept, results: Sequence[Result], planned: int, command: str) -> None:
    """Write `ablation.md`, `ablation.csv` and `ablation.png` into the folder `out`.

    `planned` is the number of runs that the grid will have.
    """
    tables = [summarise(results, rank) for rank in sorted({result.cell.rank for result in results})]
    dataset = kept.setup.dataset
    write_whole(out / MARKDOWN_FILE, to_markdown(kept, results, planned, command).encode())
    write_whole(out / CSV_FILE, to_csv(dataset, tables).encode())
    draw_tables(tables, dataset, out / PLOT_FILE)


def to_markdown(kept: Kept, results: Sequence[Result], planned: int, command: str) -> str:
    """Return the tables as Markdown, figures in percent, with what is to be known of how they were made."""
    dataset = kept.setup.dataset
    lines = [f"# Ablation on {dataset}, {kept.base}", "", _caption(kept, results, planned), ""]
    lines += ["```sh", command, "```"]
    for rank in sorted({result.cell.rank for result in results}):
        lines += ["", f"## {_title(rank)}", "", *_table(summarise(results, rank), dataset)]
    lines += ["", f"![accuracy and macro F1 by setting]({PLOT_FILE})", "", _OF_THE_PAPER]
    return "\n".join(lines) + "\n"


def to_csv(dataset: DatasetName, tables: Iterable[Sequence[Row]]) -> str:
    """Return the tables as CSV, one line per setting and way of training; figures 0..1."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in (row for table in tables for row in table):
        paper = published(dataset, row.preset, row.rank) or ("", "")
        figures = (
            *(row.accuracy.mean, row.accuracy.deviation, row.macro_f1.mean, row.macro_f1.deviation),
            *paper,
        )
        seeds = " ".join(map(str, row.seeds))
        writer.writerow((way(row.rank), row.preset, seeds, *figures, row.trainable, round(row.seconds, 1)))
    return text.getvalue()


def _caption(kept: Kept, results: Sequence[Result], planned: int) -> str:
    setup, first = kept.setup, results[0]
    share = "the same in all runs, a stratified share" if setup.limit else "all there are"
    epochs = "1 epoch" if setup.epochs == 1 else f"{setup.epochs} epochs"
    budget = [
        f"at most {epochs} on {first.pictures:,} training pictures ({share})",
        f"learning rate {setup.lr:g}" if setup.lr else "the presets' learning rate",
        f"batches of {setup.batch_size}" if setup.batch_size else "the presets' batches",
    ]
    chosen = "the test split, as in the paper" if setup.paper_split else "a part of the training pictures"
    missing = f" {len(results)} of {planned} runs are done." if len(results) < planned else ""
    faces = "faces aligned by MTCNN" if setup.align else "faces as they are"
    devices = " and ".join(sorted({result.device for result in results}))
    return (
        f"Every run: {', '.join(budget)}; {faces}; the epoch chosen on {chosen}. Measured on the "
        f"{first.tested:,} pictures of the test split: mean ± standard deviation over the seeds, in percent. "
        f"Computed on {devices}.{missing}"
    )


def _title(rank: int) -> str:
    return f"Table II: LoRA, r = {rank}" if rank else "Table I: all weights trained"


def _table(rows: Sequence[Row], dataset: DatasetName) -> list[str]:
    lines = ["| setting | seeds | Acc. | F1 | paper: Acc. | paper: F1 | trainable | seconds a run |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    best = max(row.accuracy.mean for row in rows), max(row.macro_f1.mean for row in rows)
    ordered = sorted(rows, key=lambda row: PAPER.index(row.preset) if row.preset in PAPER else len(PAPER))
    for row in ordered:
        cells = [SETTINGS.get(row.preset, row.preset), ", ".join(map(str, row.seeds))]
        cells += [_spread(row.accuracy, best[0]), _spread(row.macro_f1, best[1])]
        cells += _figures(published(dataset, row.preset, row.rank))
        lines.append(f"| {' | '.join(cells)} | {row.trainable:,} | {row.seconds:,.0f} |")
    return lines


def _spread(spread: Spread, best: float) -> str:
    text = f"{100 * spread.mean:.2f}"
    if spread.deviation is not None:
        text += f" ± {100 * spread.deviation:.2f}"
    return f"**{text}**" if spread.mean == best else text


def _figures(figures: Figures | None) -> list[str]:
    return [f"{100 * figure:.2f}" for figure in figures] if figures else ["–", "–"]


_OF_THE_PAPER: Final = (
    "The paper's figures are of POSTER large on pretrained streams, trained for up to 300 epochs at a "
    "learning rate of 4e-5, and measured on the split that its best epoch was chosen on: compare the trend, "
    "not the height."
)
