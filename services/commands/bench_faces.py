"""`reelmood bench detect`, `align`, `model`, `gpu`: one stage at a time, without a broker."""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from services.commands.bench_clips import ClipArgument
from services.commands.bench_output import JsonOption, RepeatsOption, SeedOption, tell
from shared.poster.active import ACTIVE
from shared.poster.config import SIZES, Size
from shared.settings import load_settings

if TYPE_CHECKING:
    from benchmarks.model import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=str)

ThreadsOption = Annotated[int, typer.Option(min=1, help="computing threads")]
BatchesOption = Annotated[
    list[int] | None, typer.Option("--batch", min=1, help="faces at a time; repeatable [several]")
]


def detect(
    clip: ClipArgument,
    frames: Annotated[int, typer.Option(min=1, help="frames that are searched, the first ones")] = 100,
    hd: Annotated[bool, typer.Option("--hd", help="a version of the clip in 1280×720 instead")] = False,
    repeats: RepeatsOption = 3,
    as_json: JsonOption = False,
) -> None:
    """Decode frames and search them for faces, beside a search of every size, on one thread."""
    from benchmarks.detect import Settings, measure

    fraction = load_settings().min_face_fraction
    settings = Settings(clip=str(clip), frames=frames, repeats=repeats, min_face_fraction=fraction)
    with tempfile.TemporaryDirectory(prefix="reelmood-bench-") as folder:
        measured = measure(settings, Path(folder), hd, logger.info)
    title = f"{measured.frames} frames of {measured.width}×{measured.height}, a frame"
    tell(measured, measured.machine, {title: measured.rows}, as_json=as_json)


def align(
    clip: ClipArgument,
    faces: Annotated[int, typer.Option(min=1, help="faces of the clip, the first ones")] = 64,
    batch: Annotated[int, typer.Option(min=1, help="faces at a time")] = 32,
    threads: ThreadsOption = 1,
    repeats: RepeatsOption = 5,
    as_json: JsonOption = False,
) -> None:
    """Find the landmarks of faces, beside full MTCNN."""
    import torch

    from benchmarks.align import Settings, measure

    torch.set_num_threads(threads)
    settings = Settings(clip=str(clip), faces=faces, batch=batch, repeats=repeats)
    measured = measure(settings, load_settings(), logger.info)
    tell(measured, measured.machine, {f"{measured.faces} faces": measured.rows}, as_json=as_json)


def model(
    sizes: Annotated[
        list[str] | None, typer.Option("--size", help="size with new weights; repeatable [all four]")
    ] = None,
    name: Annotated[str | None, typer.Option("--model", help="a model's name or folder instead")] = None,
    precisions: Annotated[
        list[str] | None, typer.Option("--precision", help="fp32 or bf16; repeatable [what the CPU has]")
    ] = None,
    batches: BatchesOption = None,
    threads: ThreadsOption = 1,
    repeats: RepeatsOption = 10,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Run models on the CPU, with and without Grad-CAM, and tell which part of its ceiling they reach."""
    import torch

    from benchmarks.ceiling import PRECISIONS, precisions_of
    from benchmarks.model import Settings

    torch.set_num_threads(threads)
    settings = Settings(
        name=name or ACTIVE,
        sizes=() if name else one_of(sizes or SIZES, SIZES, "--size"),
        precisions=one_of(precisions or precisions_of(torch.device("cpu")), PRECISIONS, "--precision"),
        batches=tuple(batches or (1, 8, 32)),
        repeats=repeats,
        seed=seed,
    )
    _measure(settings, as_json=as_json)


def gpu(
    size: Annotated[Size, typer.Option(help="size of the model, new weights")] = "large",
    batches: BatchesOption = None,
    repeats: RepeatsOption = 20,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Run a model in bfloat16 on the GPU, and tell which part of the card's ceiling it reaches."""
    from benchmarks.model import Settings

    settings = Settings(
        sizes=(size,),
        precisions=("bf16",),
        batches=tuple(batches or (1, 8, 32, 64, 128, 256)),
        repeats=repeats,
        seed=seed,
        device="cuda",
    )
    _measure(settings, as_json=as_json)


def one_of(given: Sequence[str], known: Sequence[T], option: str) -> tuple[T, ...]:
    """Return those of `known` that are given. Raises typer.BadParameter for any other."""
    if unknown := set(given) - set(known):
        raise typer.BadParameter(f"{min(unknown)} is none of {', '.join(known)}", param_hint=option)
    return tuple(each for each in known if each in given)


def _measure(settings: "Settings", *, as_json: bool) -> None:
    from benchmarks.model import measure

    measured = measure(settings, load_settings().models, logger.info)
    tables = {f"ceiling of {measured.device}": measured.ceilings, "models": measured.rows}
    tell(measured, measured.machine, tables, as_json=as_json)
