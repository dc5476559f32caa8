"""`reelmood ingest`, `worker`, `retrieval`, `recorder`, `dashboard`: one service in the foreground."""

import os
import socket
from enum import StrEnum
from typing import Annotated, Optional

import typer

from services import programs
from services.stopping import stop_event
from services.supervisor import supervise
from shared.queues.broker import connect
from shared.settings import load_settings


class Part(StrEnum):
    """The two halves of ingest."""

    WATCHER = "watcher"
    RUNNER = "runner"


SlotOption = Annotated[int, typer.Option(min=1, help="number of this process among its kind on this host")]


def ingest(
    part: Annotated[
        Optional[Part],  # noqa: UP045 - typer shows it as optional
        typer.Option(help="only the folder's watcher, or only the runner of queued clips; both without it"),
    ] = None,
    slot: SlotOption = 1,
) -> None:
    """Take clips from the incoming folder, find their faces and queue them."""
    from services.ingest.watcher import watch
    from shared.queues import jobs

    settings = load_settings()
    broker = connect(settings)
    if part is None:
        supervise(programs.ingest(settings, watch=True), stop_event())
    elif part is Part.WATCHER:
        watch(settings, broker, stop_event())
    else:
        import services.ingest.job  # noqa: F401 - each job's process is forked from here and finds it loaded

        jobs.run(broker, jobs.Task.INGEST, jobs.runner_name(broker, jobs.Task.INGEST, slot))


def worker(
    model: Annotated[str | None, typer.Option(help="model name or folder")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N")] = None,
    slot: SlotOption = 1,
) -> None:
    """Read the emotions of queued faces."""
    from services.worker.loop import serve

    settings = load_settings(model=model, device=device)
    serve(settings, connect(settings), stop_event(), _name("worker", slot))


def retrieval(slot: SlotOption = 1) -> None:
    """Answer each explained face with its nearest neighbours."""
    from services.retrieval.loop import serve

    settings = load_settings()
    serve(settings, connect(settings), stop_event(), _name("retrieval", slot))


def recorder(slot: SlotOption = 1) -> None:
    """Write the files of finished clips."""
    import services.recorder.job  # noqa: F401 - each job's process is forked from here and finds it loaded
    from shared.queues import jobs

    broker = connect(load_settings())
    jobs.run(broker, jobs.Task.FINISH, jobs.runner_name(broker, jobs.Task.FINISH, slot))


def dashboard(
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on")] = None,
) -> None:
    """Show clips and their timelines in the browser."""
    from services.dashboard.launch import command
    from shared.settings import environment_of

    settings = load_settings(dashboard_host=host, dashboard_port=port)
    argv = command(settings)
    os.execve(argv[0], argv, {**os.environ, **environment_of(settings)})  # noqa: S606 - a fixed command


def _name(kind: str, slot: int) -> str:
    return f"{kind}-{socket.gethostname()}-{slot}"
