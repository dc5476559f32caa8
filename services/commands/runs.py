"""`reelmood runs`: training runs that are jobs, to be looked at, stopped, and resumed."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared import runs
from shared.errors import DataError
from shared.queues import trainings
from shared.queues.broker import Broker, connect
from shared.queues.trainings import State, Training
from shared.settings import Settings, load_settings

app = typer.Typer(help="Training runs that are jobs.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="name of the run")]
_LOOK_S: Final = 0.5


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for scripts")] = False,
) -> None:
    """Show the runs, the newest first: how far each is, and how it ended."""
    known = trainings.recent(connect(load_settings()))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(known), indent=2).decode())
    elif known:
        Console().print(table(known))
    else:
        typer.echo("no run has been queued: see `reelmood train --enqueue`")


@app.command()
def stop(name: NameArgument) -> None:
    """Stop a run; what it has saved stays, and it can be resumed."""
    state = trainings.stop(connect(load_settings()), name)
    typer.echo(f"{name} is stopped" if state is State.STOPPED else f"{name} stops at its next step")


@app.command()
def resume(name: NameArgument) -> None:
    """Queue a run again that was stopped or has failed; it goes on from its last epoch."""
    settings = load_settings()
    trainings.resume(connect(settings), name)
    typer.echo(f"{name} is queued")


@app.command()
def log(
    name: NameArgument,
    lines: Annotated[int, typer.Option(min=1, help="how many lines")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until the run ends")] = False,
) -> None:
    """Show the last lines of a run's log."""
    settings = load_settings()
    folder = _folder(settings, name)
    for line in runs.tail(folder, lines):
        typer.echo(line)
    if follow:
        for line in _follow(connect(settings), folder / runs.LOG_FILE, name):
            typer.echo(line)


def table(known: list[Training]) -> Table:
    """Return the runs as a table."""
    columns = ("run", "state", "epoch", "step", "loss", "validation", "left", "")
    shown = Table(*columns, box=None, pad_edge=False)
    for run in known:
        shown.add_row(escape(run.name), *_row(run))
    return shown


def _row(run: Training) -> list[str]:
    live = run.progress
    step, loss, left = "", run.figures.get("loss"), ""
    if live is not None:
        step, loss = f"{live.step}/{live.steps}", live.loss
        left = "" if live.left_s is None else f"{live.left_s / 60:.0f} min"
    accuracy = runs.accuracy_of(run.figures)
    state = "stopping" if run.stopping else run.state.value
    return [
        state,
        f"{live.epoch if live else run.epoch}/{run.epochs}",
        step,
        "" if loss is None else f"{loss:.3f}",
        "" if accuracy is None else f"{100 * accuracy:.1f} %",
        left,
        escape(run.error or run.model),
    ]


def _folder(settings: Settings, name: str) -> Path:
    if not runs.is_run_name(name):
        raise DataError(f"{name} is no name of a run")
    folder = settings.runs / name
    if not (folder / runs.LOG_FILE).is_file():
        raise DataError(f"there is no log of a run {name} in {settings.runs}")
    return folder


def _follow(broker: Broker, file: Path, name: str) -> Iterator[str]:
    """Yield the lines that are added to a file, until the run has ended and all of them are read."""
    pause = threading.Event()
    with file.open(encoding="utf-8", errors="replace") as text:
        text.seek(0, 2)
        while True:
            run = trainings.get(broker, name)
            yield from (line.rstrip("\n") for line in text)
            if run is None or run.state not in (State.QUEUED, State.RUNNING):
                return
            pause.wait(_LOOK_S)
