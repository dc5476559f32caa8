"""A progress bar on the terminal that follows training."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from training.observer import Position


class TrainingBar:
    """Shows epoch, steps, loss, and the time left, of one run or of `runs` equally long ones in turn."""

    def __init__(self, progress: Progress, task: TaskID, runs: int) -> None:
        self._progress = progress
        self._task = task
        self._runs = runs
        self._before = 0
        self._what = ""

    def begin(self, what: str, before: int) -> None:
        """Say which run is next, and how many are done."""
        self._what, self._before = f"{what}, ", before

    def step(self, position: "Position") -> None:
        """Show a finished step."""
        steps = position.epochs * position.steps
        done = (position.epoch - 1) * position.steps + position.step
        self._progress.update(
            self._task,
            total=self._runs * steps,
            completed=self._before * steps + done,
            description=f"{self._what}epoch {position.epoch} of {position.epochs}",
            loss=position.loss,
        )

    def epoch(self, row: dict[str, float]) -> None:
        """Take no notice: the log tells of it."""


@contextmanager
def training_bar(runs: int = 1) -> Iterator[TrainingBar]:
    """Show a bar as long as the context lasts; nothing where there is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("loss {task.fields[loss]:.3g}"),
    )
    with Progress(*columns, transient=True) as progress:
        yield TrainingBar(progress, progress.add_task("training", total=None, loss=0.0), runs)
