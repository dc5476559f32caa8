"""`reelmood rerun`: analyse a clip again."""

import time
from pathlib import Path
from typing import Annotated, Final

import typer

from services.ingest.identity import clip_of
from shared import traces
from shared.errors import ReelmoodError
from shared.folders import printable
from shared.poster.active import ACTIVE, active
from shared.queues import clips, jobs, presence
from shared.queues.broker import Broker, connect
from shared.queues.clips import State
from shared.queues.tasks import Task
from shared.settings import Settings, load_settings
from shared.storage.clips import digest, move
from shared.storage.mirror import pull

_PATIENCE_S: Final = 60.0
_LOOK_S: Final = 0.2


def rerun(clip: Annotated[str, typer.Argument(help="its name, its id, or the path of its file")]) -> None:
    """Analyse a clip again: one that failed, or one that was done under another model, beside that result."""
    settings = load_settings()
    broker = connect(settings)
    pull(settings, with_results=True)
    if settings.model == ACTIVE:
        settings = settings.model_copy(update={"model": active(settings.models).name})
    source, root = _file(settings, broker, clip)
    name = source.relative_to(root).as_posix()
    if root == settings.failed:
        move(settings, source, settings.incoming, name)
        traces.remove_file(settings, source, root)
    else:
        _order(settings, broker, source, printable(name))
    typer.echo(f"{printable(name)} is analysed again")


def _file(settings: Settings, broker: Broker, wanted: str) -> tuple[Path, Path]:
    """Return the file of a clip and the folder of this home that it lies in."""
    subject = traces.find(settings, clips.recent(broker, 0), wanted)
    if subject is None:
        raise ReelmoodError(f"there is no clip {printable(wanted)}")
    files = traces.locate(settings, subject).files
    for root in (settings.done, settings.failed):
        for path in files:
            if path.is_relative_to(root) and not path.name.endswith(traces.REASON):
                return path, root
    if any(path.is_relative_to(settings.incoming) for path in files):
        raise ReelmoodError(f"{printable(wanted)} is still being analysed")
    raise ReelmoodError(f"the file of {printable(wanted)} is not there any more")


def _order(settings: Settings, broker: Broker, source: Path, name: str) -> None:
    content = digest(settings, source)
    clip = clip_of(source, content, settings, name=name, keep_source=True)
    known = clips.get_or_forget(broker, clip.id)
    if known is not None and known.state not in (State.DONE, State.FAILED):
        raise ReelmoodError(f"{name} is still being analysed")
    if any(run.id == clip.id for run in traces.archived(settings.results)):
        raise ReelmoodError(f"{name} was analysed with {settings.model} already: promote another model first")
    _wait_for_workers(broker, settings.model)
    if known is not None:
        clips.forget(broker, clip.id)
    if clips.create(broker, clip):
        jobs.enqueue(broker, Task.INGEST, clip.id)


def _wait_for_workers(broker: Broker, model: str) -> None:
    """Wait until no worker reads with another model, as for a moment after a promotion."""
    deadline = time.monotonic() + _PATIENCE_S
    while others := {
        one.model for one in presence.alive(broker) if one.kind == "worker" and _name(one.model) != model
    }:
        if time.monotonic() >= deadline:
            raise ReelmoodError(f"a worker reads with {others.pop()}, not with {model}: see reelmood status")
        time.sleep(_LOOK_S)


def _name(model: str) -> str:
    return model.partition("@")[0]
