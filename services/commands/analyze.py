"""`reelmood analyze`: the same pipeline, once, for given clips."""

import logging
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from services import programs
from services.ingest.identity import clip_of
from services.ingest.oversight import Oversight, oversee
from services.stopping import stop_event
from services.supervisor import supervise
from shared.errors import ReelmoodError
from shared.folders import content_digest, is_candidate, printable
from shared.poster.active import ACTIVE, active
from shared.poster.folder import find_folder
from shared.queues import clips, jobs, turns
from shared.queues.broker import LOST, Broker, connect
from shared.queues.clips import Clip, State
from shared.queues.embedded import embedded_broker
from shared.queues.outage import Outage
from shared.queues.tasks import Task
from shared.settings import Settings, load_settings

_LOOK_S: Final = 0.2
_ENDED: Final = (State.DONE, State.FAILED)


def analyze(
    paths: Annotated[list[Path], typer.Argument(metavar="CLIP…", help="clips, pictures, or folders of them")],
    out: Annotated[Path, typer.Option(help="folder that gets a folder for each clip")] = Path("results"),
    model: Annotated[str | None, typer.Option(help="model name or folder")] = None,
    workers: Annotated[int, typer.Option(min=1, help="processes that read faces")] = 1,
    annotate: Annotated[bool, typer.Option("--annotate", help="draw an annotated video too")] = False,
    blur: Annotated[bool, typer.Option("--blur", help="the same with blurred faces; keep no faces")] = False,
    cam: Annotated[bool, typer.Option("--cam", help="Grad-CAM and neighbours for every face")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON line per clip")] = False,
) -> None:
    """Analyse clips where they are, without a dashboard. Exit code 1: some could not be analysed."""
    logging.getLogger().setLevel(logging.WARNING)
    stop = stop_event()
    base = load_settings(
        store="", model=model, blur=blur or None, explain_every_s=0.0 if cam else None, log_level="warning"
    )
    if base.model == ACTIVE:
        # Pinned, so that a promotion meanwhile leaves this run with one model.
        base = base.model_copy(update={"model": active(base.models).name})
    find_folder(base.model, base.models)
    chosen = _expand(paths)
    with tempfile.TemporaryDirectory(prefix="reelmood-") as folder, embedded_broker(Path(folder)) as url:
        settings = base.model_copy(update={"redis_url": url})
        broker = connect(settings)
        ordered = [_clip(settings, path, out, annotate=annotate) for path in chosen]
        with _running(settings, workers, stop):
            ended = _follow(settings, broker, {clip.id: clip for clip in ordered}, stop)
    for path, clip in zip(chosen, ordered, strict=True):
        _report(path, ended.get(clip.id), as_json=as_json)
    if stop.is_set() and len(ended) < len({clip.id for clip in ordered}):
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
    for path in found:
        try:
            str(path.resolve()).encode()
        except UnicodeEncodeError:
            raise ReelmoodError(f"{printable(str(path))}: rename it, its path is not valid Unicode") from None
    return found


def _clip(settings: Settings, path: Path, out: Path, *, annotate: bool) -> Clip:
    content = content_digest(path)
    clip = clip_of(path.resolve(), content, settings, name=printable(path.name), keep_source=True)
    return msgspec.structs.replace(clip, results=str(out.resolve()), annotate=annotate or clip.annotate)


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


def _follow(
    settings: Settings, broker: Broker, ordered: Mapping[str, Clip], stop: threading.Event
) -> dict[str, Clip]:
    """Order the clips and show progress until every one has ended; return the ended ones."""
    ended: dict[str, Clip] = {}
    memory, outage = Oversight(), Outage(stop)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}
        while len(ended) < len(ordered) and not stop.wait(_LOOK_S):
            try:
                missing = [clip for clip in ordered.values() if clip.id not in ended]
                known = _see_to(settings, broker, missing, memory)
            except LOST as error:
                outage.wait(error)
                continue
            outage.over()
            for clip in known:
                if clip.state is not State.QUEUED:
                    if clip.id not in tasks:
                        tasks[clip.id] = bar.add_task(clip.name, note="")
                    _show(bar, tasks[clip.id], clip)
                if clip.state in _ENDED:
                    ended[clip.id] = clip
    return ended


def _see_to(settings: Settings, broker: Broker, wanted: Sequence[Clip], memory: Oversight) -> list[Clip]:
    """Order the clips that the broker does not know, see to the others, and return all as they stand."""
    known = clips.known(broker, [clip.id for clip in wanted])
    for clip in wanted:
        if clip.id not in known and clips.create(broker, clip):
            turns.expect(broker, clip.id, time.time() + turns.length_s(0, Path(clip.path)))
            jobs.enqueue(broker, Task.INGEST, clip.id)
    oversee(settings, broker, memory, time.monotonic())
    return clips.those(broker, [clip.id for clip in wanted])


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
        typer.echo(printable(f"{path}: {error or out or state}"))
