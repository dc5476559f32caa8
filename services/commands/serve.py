"""`reelmood ingest`, `worker`, `retrieval`, `recorder`, `trainer`, `dashboard`: one service in front."""

import os
import socket
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Optional

import typer
from prometheus_client import CollectorRegistry

from services import programs
from services.stopping import stop_event
from services.supervisor import supervise
from shared.metrics.endpoint import endpoint
from shared.metrics.identity import describe
from shared.metrics.loop import loop_metrics
from shared.metrics.pipeline import PipelineCollector
from shared.pulse import Pulse
from shared.queues import runner
from shared.queues.broker import Broker
from shared.queues.jobs import runner_name
from shared.queues.outage import reach
from shared.queues.presence import Service
from shared.queues.tasks import Task
from shared.settings import Settings, load_settings
from shared.storage.mirror import mirroring


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
    settings = load_settings()
    if part is None:
        supervise(programs.on_ports(settings, programs.ingest(settings, watch=True)), stop_event())
    elif part is Part.WATCHER:
        _watch(settings)
    else:
        import services.ingest.job  # noqa: F401 - each job's process is forked from here and finds it loaded

        _run_jobs(settings, Task.INGEST, slot)


def worker(
    model: Annotated[str | None, typer.Option(help="model name or folder")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N")] = None,
    slot: SlotOption = 1,
) -> None:
    """Read the emotions of queued faces."""
    settings, metrics = load_settings(model=model, device=device), loop_metrics()

    def work(broker: Broker, stop: threading.Event, pulse: Pulse) -> None:
        from services.worker.loop import serve

        with mirroring(settings):
            serve(settings, broker, stop, _name("worker", slot), pulse, metrics)

    _serve(settings, metrics.registry, work)


def retrieval(slot: SlotOption = 1) -> None:
    """Answer each explained face with its nearest neighbours."""
    settings, metrics = load_settings(), loop_metrics()

    def work(broker: Broker, stop: threading.Event, pulse: Pulse) -> None:
        from services.retrieval.loop import serve

        with mirroring(settings, with_results=True):
            serve(settings, broker, stop, _name("retrieval", slot), pulse, metrics)

    _serve(settings, metrics.registry, work)


def recorder(slot: SlotOption = 1) -> None:
    """Write the files of finished clips."""
    import services.recorder.job  # noqa: F401 - each job's process is forked from here and finds it loaded

    _run_jobs(load_settings(), Task.FINISH, slot)


def trainer(slot: SlotOption = 1) -> None:
    """Work off queued training runs, one at a time."""
    # Each job's process loads torch itself: a GPU that was touched before the fork could not be used after.
    _run_jobs(load_settings(), Task.TRAIN, slot)


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


def _watch(settings: Settings) -> None:
    registry = CollectorRegistry()

    def work(broker: Broker, stop: threading.Event, pulse: Pulse) -> None:
        from services.ingest.watcher import watch

        _describe(registry, _name("watcher", 1), "watcher")
        registry.register(PipelineCollector(broker))
        with mirroring(settings):
            watch(settings, broker, stop, pulse)

    _serve(settings, registry, work)


def _run_jobs(settings: Settings, task: Task, slot: int) -> None:
    registry = CollectorRegistry()

    def work(broker: Broker, _stop: threading.Event, pulse: Pulse) -> None:
        name = runner_name(broker, task, slot)
        _describe(registry, name, task.service)
        runner.run(broker, task, name, pulse)

    _serve(settings, registry, work)


def _describe(registry: CollectorRegistry, name: str, kind: str) -> None:
    describe(registry, Service(name=name, kind=kind, pid=os.getpid(), host=socket.gethostname()))


def _serve(
    settings: Settings,
    registry: CollectorRegistry,
    work: Callable[[Broker, threading.Event, Pulse], None],
) -> None:
    """Tell metrics and health from the start on, wait for the broker, and have the service work on it."""
    stop, pulse = stop_event(), Pulse()
    with endpoint(settings, pulse, registry):
        broker = reach(settings, stop, pulse)
        if broker is not None:
            work(broker, stop, pulse)


def _name(kind: str, slot: int) -> str:
    return f"{kind}-{socket.gethostname()}-{slot}"
