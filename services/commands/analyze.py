"""`reelmood analyze`: the same pipeline, once, for given clips."""

import logging
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from services import programs
from services.ingest.identity import clip_id
from services.stopping import stop_event
from services.supervisor import supervise
from shared.errors import ReelmoodError
from shared.folders import is_candidate
from shared.poster.folder import find_folder
from shared.queues import clips, jobs
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.queues.embedded import embedded_broker
from shared.queues.jobs import Task
from shared.settings import Settings, load_settings

_LOOK_S: Final = 0.2
_ENDED: Final = (State.DONE, State.FAILED)


def analyze(
    paths: Annotated[list[Path], typer.Argument(metavar="CLIP…", help="clips, pictures, or folders of them")],
    out: Annotated[Path, typer.Option(help="folder that gets a folder for each clip")] = Path("results"),
    model: Annotated[str | None, typer.Option(help="model name or folder")] = None,
    workers: Annotated[int, typer.Option(min=1, help="processes that read faces")] = 1,
    annotate: Annotated[bool, typer.Option("--annotate", help="draw an annotated video too")] = False,
    cam: Annotated[bool, typer.Option("--cam", help="Grad-CAM and neighbours for every face")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON line per clip")] = False,
) -> None:
    """Analyse clips where they are, without a dashboard. Exit code 1: some could not be analysed."""
    logging.getLogger().setLevel(logging.WARNING)
    stop = stop_event()
    base = load_settings(model=model, explain_every_s=0.0 if cam else None, log_level="warning")
    find_folder(base.model, base.models)
    chosen = _expand(paths)
    with tempfile.TemporaryDirectory(prefix="reelmood-") as folder, embedded_broker(Path(folder)) as url:
        settings = base.model_copy(update={"redis_url": url})
        broker = connect(settings)
        ordered = [_order(broker, settings, path, out, annotate=annotate) for path in chosen]
        with _running(settings, workers, stop):
            ended = _follow(broker, ordered, stop)
    for path, clip_key in zip(chosen, ordered, strict=True):
        _report(path, ended.get(clip_key), as_json=as_json)
    if stop.is_set() and len(ended) < len(set(ordered)):
        raise typer.Exit(130)
    if any(clip.state is State.FAILED for clip in ended.values()):
        raise typer.Exit(1)


def _expand(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if is_candidate(file, path))
        elif path.exists():
            found.append(path)
        else:
            raise ReelmoodError(f"there is no file {path}")
    if not found:
        raise ReelmoodError("no clip in the given folders")
    return found


def _order(broker: Broker, settings: Settings, path: Path, out: Path, *, annotate: bool) -> str:
    key = clip_id(path, settings)
    clip = Clip(
        id=key,
        name=path.name,
        path=str(path.resolve()),
        results=str(out.resolve()),
        model=settings.model,
        annotate=annotate or settings.annotate,
        keep_source=True,
    )
    if clips.create(broker, clip):
        jobs.enqueue(broker, Task.INGEST, key)
    return key


@contextmanager
def _running(settings: Settings, workers: int, stop: threading.Event) -> Iterator[None]:
    """Run the pipeline's processes beside this block; what stops them from running is raised at its end."""
    done, failure = threading.Event(), []

    def run() -> None:
        try:
            supervise(programs.analysis(settings, workers, watch=False), done)
        except ReelmoodError as error:
            failure.append(error)
            stop.set()

    thread = threading.Thread(target=run, name="supervisor")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    if failure:
        raise failure[0]


def _follow(broker: Broker, ordered: Sequence[str], stop: threading.Event) -> dict[str, Clip]:
    """Show progress until every clip has ended; return the ended ones."""
    ended: dict[str, Clip] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}
        while len(ended) < len(set(ordered)) and not stop.wait(_LOOK_S):
            jobs.dispatch_finished(broker)
            for key, reason in jobs.take_failed(broker):
                clips.update(broker, key, state=State.FAILED, error=f"its analysis crashed: {reason}")
            for clip in clips.recent(broker, len(ordered)):
                if clip.state is not State.QUEUED:
                    if clip.id not in tasks:
                        tasks[clip.id] = bar.add_task(clip.name, note="")
                    _show(bar, tasks[clip.id], clip)
                if clip.state in _ENDED:
                    ended[clip.id] = clip
    return ended


def _show(bar: Progress, task: TaskID, clip: Clip) -> None:
    total = max(clip.frames_expected, clip.frames, 1)
    read = (clip.done + clip.failed) / clip.faces if clip.faces else 1.0
    note = clip.error or f"{clip.frames} frames, {clip.done}/{clip.faces} faces"
    finished = clip.state in _ENDED
    bar.update(task, total=total, completed=total if finished else clip.frames * read, note=note)


def _report(path: Path, clip: Clip | None, *, as_json: bool) -> None:
    state = clip.state.value if clip else "stopped"
    error = clip.error if clip else ""
    out = clip.out if clip else ""
    if as_json:
        row = {"clip": str(path), "state": state, "error": error, "out": out}
        typer.echo(msgspec.json.encode(row).decode())
    else:
        typer.echo(f"{path}: {error or out or state}")
