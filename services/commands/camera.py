"""`reelmood camera`: a live source."""

from typing import Annotated

import typer
from prometheus_client import CollectorRegistry

from services.stopping import stop_event
from shared.errors import ReelmoodError
from shared.metrics.endpoint import endpoint
from shared.pulse import Pulse
from shared.queues.outage import reach
from shared.settings import load_settings


def camera(
    source: Annotated[
        str,
        typer.Argument(
            envvar="REELMOOD_CAMERA",
            show_envvar=True,
            help="number of a camera of this machine (0), or rtsp://… or http://…",
        ),
    ],
    name: Annotated[str, typer.Option(help="name of the clip; without it, the source's and the time")] = "",
    record: Annotated[bool, typer.Option("--record", help="keep the video too, in done/")] = False,
) -> None:
    """Read the emotions of a live source until Ctrl-C, into a clip of the Reelmood that runs here.

    A source that needs a password is better given as REELMOOD_CAMERA: everybody can read a command line.
    """
    from services.ingest.live.camera import Order, film
    from services.ingest.live.source import check

    check(source)
    stop, settings, pulse = stop_event(), load_settings(), Pulse()
    with endpoint(settings, pulse, CollectorRegistry()):
        broker = reach(settings, stop, pulse)
        if broker is None:
            return
        clip = film(settings, broker, Order(source, name, record), stop, pulse)
    if clip is None:
        raise ReelmoodError("nothing was filmed, or its clip was taken away")
    dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(clip.dropped.items())) or "none"
    typer.echo(f"{clip.name}: {clip.frames} frames, {clip.faces} faces; dropped: {dropped}")
