"""`reelmood forget`: remove every trace of a clip."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from shared import corrections, traces
from shared.errors import ReelmoodError
from shared.folders import printable
from shared.moments import MOMENTS
from shared.queues import clips, jobs, persistence, results
from shared.queues.broker import Broker, address_file, connect
from shared.queues.clips import Clip
from shared.queues.embedded import embedded_broker
from shared.settings import Settings, load_settings
from shared.storage.clips import let_go
from shared.storage.mirror import pull
from shared.storage.results import share
from shared.traces import Subject

_PATIENCE_S: Final = 30.0


def forget(
    clip: Annotated[str, typer.Argument(help="its name, its id, or the path of its file or results")],
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Remove every trace of a clip: files, results, faces, neighbours, corrections.

    Exit code 1: nothing is kept of it.
    """
    logging.getLogger().setLevel(logging.WARNING)
    settings = load_settings()
    pull(settings, with_results=True)
    with _broker(settings) as broker:
        known = clips.recent(broker, 0) if broker else []
        subject = traces.find(settings, known, clip)
        if subject is None:
            typer.echo(f"reelmood: nothing is kept of {printable(clip)}", err=True)
            raise typer.Exit(1)
        for line in _describe(settings, known, subject):
            typer.echo(printable(line))
        if not yes:
            typer.confirm("delete all of this for good?", abort=True)
        _remove(settings, broker, subject)
        typer.echo("forgotten")
        if broker and not persistence.compact(broker, _PATIENCE_S):
            typer.echo("the broker's own log on disk holds it until the broker rewrites it", err=True)


@contextmanager
def _broker(settings: Settings) -> Iterator[Broker | None]:
    """Yield the broker: the running one, else the embedded one of this home, started for the while."""
    with ExitStack() as stack:
        if not settings.redis_url and not address_file(settings.home).exists():
            if not address_file(settings.home).parent.is_dir():
                yield None
                return
            url = stack.enter_context(embedded_broker(settings.home))
            settings = settings.model_copy(update={"redis_url": url})
        broker = connect(settings)
        stack.callback(broker.close)
        yield broker


def _describe(settings: Settings, known: list[Clip], subject: Subject) -> Iterator[str]:
    located = traces.locate(settings, subject)
    yield from map(str, located.files + located.folders)
    if corrected := traces.corrected(settings, subject):
        yield f"{settings.corrections}: {corrected} corrected faces"
    for clip in known:
        if clip.id in subject.ids:
            yield f"{clip.id} on the broker: {clip.name}, {clip.state.value}"


def _remove(settings: Settings, broker: Broker | None, subject: Subject) -> None:
    """Remove the files, so that nothing starts on them again; then what is under way; then what that left."""
    _remove_files(settings, subject)
    if broker is None:
        return
    for clip_id in subject.ids:
        clips.forget(broker, clip_id)
        if not jobs.withdraw(broker, clip_id):
            raise ReelmoodError(f"{clip_id} is still being worked on, nobody lets go of it: forget it again")
        clips.forget(broker, clip_id)
    _remove_files(settings, subject)
    for name in subject.names:
        for other in clips.recent(broker, 0):
            results.drop_neighbours(broker, other.id, name)


def _remove_files(settings: Settings, subject: Subject) -> None:
    from services.recorder.moments import drop_source

    try:
        located = traces.locate(settings, subject)
        traces.remove(settings, located)
        for path in located.files:
            let_go(settings, path, subject.content)
        corrections.forget(settings.corrections, subject.ids, subject.content)
        for folder in _folders(settings):
            for name in subject.names:
                if drop_source(folder, name):
                    share(settings, folder / MOMENTS)
    except OSError as error:
        reason = f"{error.filename} cannot be deleted: {error.strerror}" if error.filename else str(error)
        raise ReelmoodError(reason) from None


def _folders(settings: Settings) -> list[Path]:
    return [run.folder for run in traces.archived(settings.results) if run.folder]
