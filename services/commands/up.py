"""`reelmood up`: everything on this machine."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer

from services import programs
from services.stopping import stop_event
from services.supervisor import supervise
from shared.errors import ReelmoodError
from shared.poster.active import ACTIVE
from shared.poster.folder import find_folder
from shared.queues.broker import connect
from shared.queues.embedded import embedded_broker
from shared.settings import Settings, load_settings

logger = logging.getLogger(__name__)

_PORTS_TRIED: Final = 20


def up(
    workers: Annotated[int, typer.Option(min=1, help="processes that read faces")] = 1,
    model: Annotated[str | None, typer.Option(help="model name or folder")] = None,
    port: Annotated[
        int | None, typer.Option(help="the dashboard's port; without it, the first free one from 8501 on")
    ] = None,
    trainer: Annotated[
        bool, typer.Option("--trainer", help="work off training runs too: they take a core, or the GPU")
    ] = False,
) -> None:
    """Run everything on this machine, until Ctrl-C."""
    stop = stop_event()
    settings = load_settings(model=model, dashboard_port=port)
    if settings.model != ACTIVE:
        find_folder(settings.model, settings.models)
    settings = settings.model_copy(update={"dashboard_port": _port(settings, chosen=port is not None)})
    for folder in (settings.incoming, settings.done, settings.failed, settings.results, settings.models):
        folder.mkdir(parents=True, exist_ok=True)
    with _broker(settings) as url:
        connected = settings.model_copy(update={"redis_url": url})
        connect(connected)
        everything = [
            *programs.analysis(connected, workers, watch=True, train=trainer),
            programs.program(connected, "dashboard", "dashboard"),
        ]
        logger.info("drop clips into %s", settings.incoming.resolve())
        logger.info("dashboard at http://%s:%d", settings.dashboard_host, settings.dashboard_port)
        supervise(everything, stop)
    logger.info("stopped")


@contextmanager
def _broker(settings: Settings) -> Iterator[str]:
    if settings.redis_url:
        yield settings.redis_url
        return
    with embedded_broker(settings.home) as url:
        yield url


def _port(settings: Settings, *, chosen: bool) -> int:
    first = settings.dashboard_port
    tried = (
        [first]
        if chosen or "dashboard_port" in settings.model_fields_set
        else range(first, first + _PORTS_TRIED)
    )
    for port in tried:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.dashboard_host, port))
            except OSError:
                continue
            return port
    raise ReelmoodError(f"port {first} is taken: choose another one with --port")
