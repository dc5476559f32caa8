"""`reelmood bench`: how fast Reelmood is on this machine, beside the plain way of doing the same."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from services.commands import bench_clips, bench_faces, bench_pages, bench_parts, bench_worker
from shared.poster.config import Size

if TYPE_CHECKING:
    from benchmarks.lora import Comparison

logger = logging.getLogger(__name__)

app = typer.Typer(help="Measure speed on this machine.", no_args_is_help=True)


app.command()(bench_clips.pipeline)
app.command()(bench_clips.naive)
app.command()(bench_clips.fer)
app.command()(bench_clips.compare)
app.command()(bench_clips.memory)
app.command()(bench_faces.detect)
app.command()(bench_faces.align)
app.command()(bench_faces.model)
app.command()(bench_faces.gpu)
app.command()(bench_parts.broker)
app.command()(bench_parts.retrieval)
app.command()(bench_parts.scaling)
app.command()(bench_parts.fairness)
app.command()(bench_pages.search)
app.command()(bench_pages.pages)
app.command(hidden=True)(bench_worker.waiting_worker)


@app.command()
def lora(
    size: Annotated[Size, typer.Option(help="size of the model, new weights")] = "large",
    rank: Annotated[int, typer.Option(min=1)] = 64,
    batch_size: Annotated[int, typer.Option(min=1)] = 8,
    steps: Annotated[int, typer.Option(min=1, help="batches of a round, with each loop in turn")] = 10,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    validation: Annotated[int, typer.Option(min=7, help="pictures that both are validated on")] = 350,
    lr: Annotated[float, typer.Option(min=1e-9, help="peak learning rate")] = 1e-3,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="computing threads [torch's choice]")] = None,
    data: Annotated[Path | None, typer.Option(help="FER2013 folder [drawn faces]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for scripts")] = False,
) -> None:
    """Train an adapter with SAM, in Reelmood's loop and in the plain one, and compare speed and accuracy.

    The machine should have nothing else to do.
    """
    import torch

    from benchmarks.lora import Settings, compare

    if threads is not None:
        torch.set_num_threads(threads)
    settings = Settings(
        size=size,
        rank=rank,
        batch_size=batch_size,
        steps=steps,
        rounds=rounds,
        validation=validation,
        lr=lr,
        seed=seed,
        data=None if data is None else str(data),
    )
    measured = compare(settings, logger.info)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(measured), indent=2).decode())
    else:
        _show(measured)


def _show(measured: "Comparison") -> None:
    machine, settings = measured.machine, measured.settings
    console = Console()
    console.print(
        f"LoRA of rank {settings.rank} on {settings.size} with SAM, batch {settings.batch_size}: "
        f"{measured.trainable:,} of {measured.parameters:,} parameters are trained"
    )
    console.print(
        f"{machine.processor}, {machine.cores} cores, {measured.device}, torch {machine.torch}, "
        f"Reelmood {machine.code}, {machine.date}; {machine.busy:.0%} busy before"
    )
    table = Table("", "Reelmood", "plain", box=None, pad_edge=False)
    both = measured.reelmood, measured.plain
    table.add_row("seconds a step, median", *(f"{loop.step_seconds:.3f}" for loop in both))
    table.add_row(
        f"minutes an epoch of {settings.epoch_pictures:,}, extrapolated",
        *(f"{loop.epoch_seconds_extrapolated / 60:.1f}" for loop in both),
    )
    table.add_row(f"loss of round {settings.rounds}", *(f"{loop.last_loss:.3f}" for loop in both))
    table.add_row(
        f"accuracy on {settings.validation} held out, {measured.accuracy_before:.1%} before",
        *("{:.1%} ({:.1%} to {:.1%})".format(loop.accuracy, *loop.accuracy_interval) for loop in both),
    )
    console.print(table)
    spread = f"{min(measured.speedup_by_round):.2f} to {max(measured.speedup_by_round):.2f}"
    console.print(
        f"Reelmood is {measured.speedup:.2f} times as fast: {settings.rounds} rounds of "
        f"{settings.steps} steps in turn, {spread}"
    )
