"""`reelmood train --enqueue`: the run becomes a job."""

from pathlib import Path

import msgspec
import typer

from shared.errors import DataError
from shared.queues import trainings
from shared.queues.broker import connect
from shared.settings import Settings
from training.spec import RunSpec


def enqueue(settings: Settings, spec: RunSpec) -> None:
    """Queue a run. Raises DataError when a model or a waiting run has its name."""
    if (settings.models / spec.name).exists():
        raise DataError(f"a model {spec.name} exists already: choose another --name")
    placed = _placed(spec)
    trainings.order(connect(settings), spec.name, msgspec.json.encode(placed), spec.recipe.epochs)
    typer.echo(f"{spec.name} is queued: see `reelmood runs list`")


def _placed(spec: RunSpec) -> RunSpec:
    """Return the run with absolute paths: the trainer may have been started in another folder."""
    return msgspec.structs.replace(
        spec,
        data=str(Path(spec.data).absolute()),
        votes=None if spec.votes is None else str(Path(spec.votes).absolute()),
        corrections=None if spec.corrections is None else str(Path(spec.corrections).absolute()),
        init=str(Path(spec.init).absolute()) if Path(spec.init).is_dir() else spec.init,
    )
