"""The broker's answer and the folders of runs → one list of runs, as the Training page shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from shared import runs
from shared.errors import ModelError
from shared.poster.active import active
from shared.queues.trainings import Progress, State, Training
from shared.settings import Settings


@dataclass(frozen=True)
class Run:
    """A training run.

    `state` is None for a run that is no job: it was started by hand, and only its folder is known. `history`
    has a row of numbers for each finished epoch. With `has_model` its model is in the registry, with
    `is_active` it is the one that reads faces unless something else is asked for.
    """

    name: str
    folder: Path
    state: State | None = None
    stopping: bool = False
    error: str = ""
    epochs: int = 0
    progress: Progress | None = None
    has_model: bool = False
    is_active: bool = False
    spec: dict[str, Any] = field(default_factory=dict)
    history: Sequence[dict[str, float]] = ()

    @property
    def label(self) -> str:
        """Its state in a word."""
        if self.stopping:
            return "stopping"
        return self.state.value if self.state else "by hand"

    @property
    def is_under_way(self) -> bool:
        """Tell whether it waits or is worked on."""
        return self.state in (State.QUEUED, State.RUNNING)

    @property
    def fraction(self) -> float:
        """How much of it is done, in [0, 1]."""
        done = float(len(self.history))
        if self.progress is not None:
            done = self.progress.epoch - 1 + self.progress.step / self.progress.steps
        return min(done / self.epochs, 1.0) if self.epochs else 0.0

    def best(self, figure: str) -> float | None:
        """Return the highest value of a figure so far, None where it was never measured."""
        return max((row[figure] for row in self.history if figure in row), default=None)


def gather(settings: Settings, queued: Iterable[Training]) -> list[Run]:
    """Return the runs that are jobs, the newest first, then those of which there is a folder only."""
    jobs = [_of_job(settings.runs / one.name, one) for one in queued if runs.is_run_name(one.name)]
    known = {run.name for run in jobs}
    folders = [_of_folder(folder) for folder in runs.folders(settings.runs) if folder.name not in known]
    in_use = _active(settings.models)
    return [
        replace(run, has_model=(settings.models / run.name).is_dir(), is_active=run.name == in_use)
        for run in jobs + folders
    ]


def _active(models: Path) -> str:
    try:
        return active(models).name
    except ModelError:
        return ""


def _of_job(folder: Path, job: Training) -> Run:
    return Run(
        name=job.name,
        folder=folder,
        state=job.state,
        stopping=job.stopping,
        error=job.error,
        epochs=job.epochs,
        progress=job.progress,
        spec=_parse(job.spec),
        history=runs.read_history(folder),
    )


def _of_folder(folder: Path) -> Run:
    spec = runs.read_spec(folder)
    recipe = spec.get("recipe")
    epochs = recipe.get("epochs", 0) if isinstance(recipe, dict) else 0
    return Run(
        name=folder.name,
        folder=folder,
        epochs=epochs if isinstance(epochs, int) else 0,
        spec=spec,
        history=runs.read_history(folder),
    )


def _parse(spec: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(spec, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return {}
