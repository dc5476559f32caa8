"""`reelmood bench broker`, `retrieval`, `scaling`, `fairness`: what carries the faces, and how it scales."""

import logging
from typing import Annotated

import typer

from services.commands.bench_clips import ClipArgument, ModelOption, SizeOption, WorkersOption
from services.commands.bench_output import JsonOption, RepeatsOption, SeedOption, tell
from shared.poster.active import ACTIVE
from shared.settings import load_settings

logger = logging.getLogger(__name__)


def broker(
    faces: Annotated[int, typer.Option(min=1, help="faces that are sent through")] = 20_000,
    crop_bytes: Annotated[int, typer.Option(min=1, help="size of a crop")] = 13_000,
    repeats: RepeatsOption = 3,
    as_json: JsonOption = False,
) -> None:
    """Send faces through an embedded broker, as ingest and workers do, with nothing that looks at them."""
    from benchmarks.broker import Settings, measure

    settings = load_settings()
    measured = measure(
        Settings(
            faces=faces,
            crop_bytes=crop_bytes,
            frames_a_commit=settings.commit_frames,
            batch=settings.batch_size,
            repeats=repeats,
        ),
        logger.info,
    )
    title = f"{measured.server}, a round trip takes {measured.round_trip_us:.0f} µs"
    tell(measured, measured.machine, {title: measured.rows}, as_json=as_json)


def retrieval(
    sizes: Annotated[
        list[int] | None,
        typer.Option("--vectors", min=100, help="size of a gallery; repeatable [10,000, 100,000, 1,000,000]"),
    ] = None,
    dimension: Annotated[int, typer.Option(min=2)] = 512,
    batch: Annotated[int, typer.Option(min=1, help="queries at a time")] = 32,
    queries: Annotated[int, typer.Option(min=1, help="such batches")] = 30,
    spread: Annotated[float, typer.Option(min=0, help="noise around the centres of the clusters")] = 0.7,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Look for nearest neighbours with the index in use, beside exact search, on one thread."""
    from benchmarks.retrieval import Settings, measure
    from services.retrieval.index import GrowingIndex

    measured = measure(
        Settings(
            sizes=tuple(sizes or (10_000, 100_000, 1_000_000)),
            dimension=dimension,
            batch=batch,
            queries=queries,
            spread=spread,
            seed=seed,
        ),
        GrowingIndex,
        logger.info,
    )
    title = f"neighbours of {batch} queries at a time, {dimension} dimensions"
    tell(measured, measured.machine, {title: measured.rows}, as_json=as_json)


def scaling(
    clip: ClipArgument,
    model: ModelOption = ACTIVE,
    size: SizeOption = None,
    workers: Annotated[
        list[int] | None, typer.Option(min=1, help="number of workers; repeatable [1, 2]")
    ] = None,
    waiting: Annotated[
        list[int] | None,
        typer.Option(min=1, help="of workers that only wait; repeatable [1, 2, 4, 8, 16, 32]"),
    ] = None,
    shards: Annotated[
        list[int] | None, typer.Option(min=1, help="shards that these read from; repeatable [1, 4]")
    ] = None,
    wait_ms: Annotated[float, typer.Option(min=0, help="milliseconds that they take for a face")] = 20.0,
    faces: Annotated[int, typer.Option(min=10, help="faces for each worker")] = 1000,
    repeats: RepeatsOption = 3,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Have ever more workers work off a full stream of faces, then workers whose model only waits."""
    from benchmarks.models import Choice
    from benchmarks.scaling import Settings, measure

    settings = Settings(
        clip=str(clip),
        model=Choice(name=model, size=size, seed=seed),
        workers=tuple(workers or (1, 2)),
        waiting=tuple(waiting or (1, 2, 4, 8, 16, 32)),
        shards=tuple(shards or (1, 4)),
        wait_ms=wait_ms,
        faces=faces,
        repeats=repeats,
    )
    measured = measure(settings, load_settings().models, logger.info)
    title = f"workers, {measured.model}, and workers that wait {wait_ms:g} ms a face"
    tell(measured, measured.machine, {title: measured.rows}, as_json=as_json)


def fairness(
    clip: ClipArgument,
    model: ModelOption = ACTIVE,
    size: SizeOption = None,
    workers: WorkersOption = 1,
    clips: Annotated[int, typer.Option(min=2, help="clips at once")] = 40,
    shortest: Annotated[int, typer.Option(min=1, help="frames of the shortest")] = 25,
    longest: Annotated[int, typer.Option(min=1, help="frames of the longest")] = 1500,
    repeats: RepeatsOption = 3,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Order clips of very different length at once, and tell how much longer they take than alone."""
    from benchmarks.fairness import Settings, measure
    from benchmarks.models import Choice

    settings = Settings(
        clip=str(clip),
        model=Choice(name=model, size=size, seed=seed),
        clips=clips,
        shortest=shortest,
        longest=longest,
        workers=workers,
        repeats=repeats,
    )
    measured = measure(settings, load_settings().models, logger.info)
    title = f"{clips} clips at once, {measured.model}"
    tell(measured, measured.machine, {title: measured.rows}, as_json=as_json)
