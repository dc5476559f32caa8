"""`reelmood cancel`: stop what is being done about a clip."""

from pathlib import PurePosixPath
from typing import Annotated

import typer

from services.ingest.failures import give_up
from shared.errors import ReelmoodError
from shared.folders import printable
from shared.queues import clips, jobs, work
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.settings import load_settings

_REASON = "it was cancelled"


def cancel(clip: Annotated[str, typer.Argument(help="its name or id")]) -> None:
    """Cancel a clip that waits or is being analysed: it goes to failed/. A live source just ends."""
    settings = load_settings()
    broker = connect(settings)
    meant = _find(broker, clip)
    if meant.live:
        clips.update(broker, meant.id, stopping=True)
        typer.echo(f"{meant.name} ends")
        return
    give_up(settings, broker, meant, _REASON)
    if not jobs.withdraw(broker, meant.id):
        raise ReelmoodError(f"{meant.name} is still being worked on, nobody lets go of it: cancel it again")
    for stage in work.Stage:
        work.purge(broker, stage, meant.id)
    typer.echo(f"{meant.name} is cancelled")


def _find(broker: Broker, wanted: str) -> Clip:
    known = clips.recent(broker, 0)
    meant = [clip for clip in known if wanted in (clip.id, clip.name, PurePosixPath(clip.name).name)]
    under_way = [clip for clip in meant if clip.state in (State.QUEUED, State.RUNNING)]
    if len(under_way) == 1:
        return under_way[0]
    if under_way:
        ids = ", ".join(clip.id for clip in under_way)
        raise ReelmoodError(f"several clips are called {printable(wanted)}, give the id of one: {ids}")
    if meant:
        raise ReelmoodError(f"{meant[0].name} is {meant[0].state.value}, there is nothing to cancel")
    raise ReelmoodError(f"there is no clip {printable(wanted)}")
