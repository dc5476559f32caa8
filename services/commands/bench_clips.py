"""`reelmood bench pipeline`, `naive`, `fer`, `compare`, `memory`: whole clips, end to end."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from services.commands.bench_output import JsonOption, RepeatsOption, SeedOption, tell
from shared.poster.active import ACTIVE
from shared.poster.config import Size
from shared.settings import load_settings

logger = logging.getLogger(__name__)

ClipsArgument = Annotated[list[Path], typer.Argument(metavar="CLIP…")]
ClipArgument = Annotated[Path, typer.Argument(metavar="CLIP")]
ModelOption = Annotated[str, typer.Option(help="model name or folder")]
SizeOption = Annotated[Size | None, typer.Option(help="a model of this size with new weights instead")]
WorkersOption = Annotated[int, typer.Option(min=1, help="processes that read faces")]
CamOption = Annotated[bool, typer.Option("--cam", help="Grad-CAM and neighbours for every face")]
GalleryOption = Annotated[int, typer.Option(min=1, help="faces among which neighbours are looked for")]
HdOption = Annotated[bool, typer.Option("--hd", help="and a version of each clip in 1280×720")]
FerOption = Annotated[Path | None, typer.Option(help="Python that has fer [that of `make bench-fer`]")]


def pipeline(
    clips: ClipsArgument,
    model: ModelOption = ACTIVE,
    size: SizeOption = None,
    workers: WorkersOption = 1,
    wait_ms: Annotated[
        float | None, typer.Option(min=0, help="workers whose model only waits so long for a face instead")
    ] = None,
    repeats: RepeatsOption = 5,
    cam: CamOption = False,
    gallery: GalleryOption = 10_000,
    hd: HdOption = False,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Send clips through all services: frames/s, faces/s, latency, time per stage, the bottleneck."""
    from benchmarks.models import Choice
    from benchmarks.pipeline import Settings, measure

    base = load_settings()
    settings = Settings(
        clips=tuple(map(str, clips)),
        model=Choice(name=model, size=size, seed=seed),
        workers=workers,
        wait_ms=wait_ms,
        repeats=repeats,
        explain_every_s=0.0 if cam else base.explain_every_s,
        gallery=gallery,
        hd=hd,
    )
    measured = measure(settings, base.models, logger.info)
    tables = {f"pipeline, {measured.model}": measured.clips, "stages": measured.stages}
    tell(measured, measured.machine, tables, as_json=as_json)


def naive(
    clips: ClipsArgument,
    model: ModelOption = ACTIVE,
    size: SizeOption = None,
    repeats: RepeatsOption = 3,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Read clips in the paper's own loop: one face at a time, nothing beside it."""
    from benchmarks.models import Choice
    from benchmarks.naive import Settings, measure

    settings = Settings(
        clips=tuple(map(str, clips)), model=Choice(name=model, size=size, seed=seed), repeats=repeats
    )
    measured = measure(settings, load_settings().models, logger.info)
    tell(measured, measured.machine, {"the paper's loop": measured.clips}, as_json=as_json)


def fer(
    clips: ClipsArgument,
    python: FerOption = None,
    repeats: RepeatsOption = 3,
    as_json: JsonOption = False,
) -> None:
    """Read clips with the `fer` package, which `make bench-fer` puts into an environment of its own."""
    from benchmarks.fer import PYTHON, Settings, measure

    settings = Settings(clips=tuple(map(str, clips)), python=str(python or PYTHON), repeats=repeats)
    measured = measure(settings, logger.info)
    tell(measured, measured.machine, {measured.versions: measured.clips}, as_json=as_json)


def compare(
    clips: ClipsArgument,
    without_naive: Annotated[bool, typer.Option("--without-naive", help="leave naive out")] = False,
    without_fer: Annotated[bool, typer.Option("--without-fer", help="leave fer out")] = False,
    model: ModelOption = ACTIVE,
    size: SizeOption = None,
    workers: WorkersOption = 1,
    rounds: Annotated[int, typer.Option(min=1, help="times that each reads each clip, in turn")] = 5,
    cam: CamOption = False,
    gallery: GalleryOption = 10_000,
    hd: HdOption = False,
    fer_python: FerOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Have the pipeline and its rivals read clips in turn, and tell by how much the pipeline is faster."""
    from benchmarks import compare
    from benchmarks.fer import PYTHON
    from benchmarks.models import Choice
    from benchmarks.pipeline import Settings

    base = load_settings()
    ours = Settings(
        clips=tuple(map(str, clips)),
        model=Choice(name=model, size=size, seed=seed),
        workers=workers,
        repeats=rounds,
        explain_every_s=0.0 if cam else base.explain_every_s,
        gallery=gallery,
        hd=hd,
    )
    left_out = {"naive": without_naive, "fer": without_fer}
    settings = compare.Settings(
        pipeline=ours,
        rivals=tuple(rival for rival in compare.RIVALS if not left_out[rival]),
        rounds=rounds,
        fer_python=str(fer_python or PYTHON),
    )
    measured = compare.measure(settings, base.models, logger.info)
    tables = {f"pipeline, {measured.model}, beside its rivals": measured.rows, "pipeline": measured.clips}
    tell(measured, measured.machine, tables, as_json=as_json)


def memory(
    clip: ClipArgument,
    model: ModelOption = ACTIVE,
    size: SizeOption = None,
    workers: WorkersOption = 1,
    frames: Annotated[int, typer.Option(min=1, help="frames that the clip is repeated to")] = 20_000,
    after: Annotated[int, typer.Option(min=0, help="frame from which on memory is looked at")] = 2000,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Send a clip through again and again as one, and tell whether memory stays flat."""
    from benchmarks.memory import Settings, measure
    from benchmarks.models import Choice

    settings = Settings(
        clip=str(clip),
        model=Choice(name=model, size=size, seed=seed),
        workers=workers,
        frames=frames,
        after=after,
    )
    measured = measure(settings, load_settings().models, logger.info)
    title = f"resident memory from frame {after} to {measured.frames}, {measured.faces} faces"
    tell(measured, measured.machine, {title: measured.stages}, as_json=as_json)
