"""Curves of training runs: live in TensorBoard, and several runs in one picture (the paper's Fig. 4)."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch.utils.tensorboard import SummaryWriter

from shared.emotions import COLOURS
from shared.errors import DataError
from shared.runs import HISTORY_FILE, read_history
from training.observer import Observer, Position

TRAINABLE: Final = "trainable"
"""The figure of a history that counts the parameters that a run trains."""
_OF_TRAINING: Final = {"loss", "lr", "seconds", "train_accuracy"}
_SHARES: Final = ("accuracy", "f1")
"""What the names of figures from 0 to 1 end in."""
_STYLES: Final = ("-", "--", ":", "-.")


class _TensorBoard:
    """An observer that writes an event file for each epoch.

    What an interrupted epoch left is never written, so a run that goes on repeats nothing, and no file stays
    open while the run computes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._losses: list[tuple[int, float]] = []

    def step(self, position: Position) -> None:
        """Keep the loss, the mean of the epoch so far, for the end of the epoch."""
        self._losses.append(((position.epoch - 1) * position.steps + position.step, position.loss))

    def epoch(self, row: dict[str, float]) -> None:
        """Write the epoch's losses by step and its other figures by epoch."""
        with SummaryWriter(self._folder) as writer:
            for step, loss in self._losses:
                writer.add_scalar("train/loss_by_step", loss, step)
            for name, value in row.items():
                if name not in ("epoch", TRAINABLE):
                    group = "train" if name in _OF_TRAINING else "validation"
                    tag = f"{group}/{name.removeprefix('train_')}"
                    writer.add_scalar(tag, value, int(row["epoch"]))
        self._losses.clear()


def tensorboard(folder: Path) -> Observer:
    """Return an observer that writes a run's curves into `folder`, as TensorBoard's event files."""
    return _TensorBoard(folder)


def plot_curves(runs: Sequence[Path], out: Path, figure: str = "label_accuracy") -> None:
    """Draw validation accuracy over epochs, a line for each run folder, as the PNG or SVG `out`.

    The paper's Fig. 4: the legend names each run and how many parameters it trains. `figure` is the name of
    an accuracy or macro F1 in `history.json`. Raises DataError when a folder holds no history, an epoch of
    it lacks the figure, or `out` cannot be written.
    """
    picture = Figure(figsize=(8, 5), layout="constrained")
    axes = picture.subplots()
    for run, colour, style in zip(runs, cycle(COLOURS.values()), cycle(_STYLES), strict=False):
        rows = read_history(run)
        if not rows:
            raise DataError(f"{run / HISTORY_FILE} is not there, or has no finished epoch yet")
        known = [name for name in rows[0] if name.endswith(_SHARES) and name not in _OF_TRAINING]
        if figure not in known or any(figure not in row for row in rows):
            raise DataError(f"{run / HISTORY_FILE} has no {figure} of validation, only {', '.join(known)}")
        epochs, values = [row["epoch"] for row in rows], [100 * row[figure] for row in rows]
        axes.plot(epochs, values, style, color=colour, marker="o", markersize=3, label=_name(run, rows))
    axes.set(xlabel="epoch", ylabel=f"validation {figure.replace('_', ' ')}, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        picture.savefig(out, dpi=110)
    except (OSError, ValueError) as error:
        raise DataError(f"{out} cannot be written: {error}") from error


def _name(run: Path, rows: list[dict[str, float]]) -> str:
    trainable = rows[-1].get(TRAINABLE)
    return run.name if trainable is None else f"{run.name} ({trainable / 1e6:.2f} M trainable)"
