"""`reelmood ablate`: the paper's Tables I and II."""

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar

import msgspec
import typer

from services.commands.bar import training_bar
from shared.errors import DataError
from shared.settings import load_settings

if TYPE_CHECKING:
    from training.ablation.grid import Cell

T = TypeVar("T")
_NO_LORA: Final = "none"


def ablate(
    data: Annotated[Path, typer.Option(help="folder or table of the data set")],
    out: Annotated[Path, typer.Option(help="folder that gets the runs and the tables")],
    epochs: Annotated[int, typer.Option(min=1, help="of each run, at most")],
    dataset: Annotated[
        Literal["fer2013", "rafdb", "affectnet7", "affectnet8", "ckplus", "folder"],
        typer.Option(help="what the data set is"),
    ] = "fer2013",
    model: Annotated[str, typer.Option(help="model to start from, name or folder")] = "nano-initial",
    new_head: Annotated[
        bool, typer.Option("--new-head", help="replace the last layer where the label sets differ")
    ] = False,
    presets: Annotated[
        str, typer.Option(help="recipes to compare, with commas between them")
    ] = "standard,augmented,balanced,cb,all",
    lora: Annotated[str, typer.Option(help="ranks of LoRA; none trains all weights")] = "none,64",
    seeds: Annotated[str, typer.Option(help="each combination is run with each seed")] = "0,1",
    limit: Annotated[
        int | None, typer.Option(min=1, help="train on so many pictures at most, the same in all runs")
    ] = None,
    lr: Annotated[
        float | None, typer.Option(min=1e-9, help="learning rate, in place of the recipes'")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="in place of the recipes'")] = None,
    align: Annotated[bool, typer.Option("--align", help="align the faces by MTCNN first")] = False,
    paper_split: Annotated[
        bool, typer.Option("--paper-split", help="choose the epoch on the test split, as the paper did")
    ] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N")] = None,
) -> None:
    """Train and measure every combination and write the tables. The same call goes on where it stopped."""
    from training.ablation.grid import Setup
    from training.ablation.run import ablate as run
    from training.ablation.tables import MARKDOWN_FILE

    settings = load_settings(device=device)
    cells = _cells(presets, lora, seeds)
    setup = Setup(
        dataset=dataset,
        data=str(data),
        align=align,
        model=model,
        new_head=new_head,
        limit=limit,
        epochs=epochs,
        lr=lr,
        batch_size=batch_size,
        paper_split=paper_split,
    )
    with training_bar(len(cells)) as bar:
        run(
            setup,
            cells,
            out,
            command=shlex.join(["reelmood", *sys.argv[1:]]),
            models=settings.models,
            device=settings.device,
            cache=settings.home / "cache",
            observe=bar,
            begin=bar.begin,
        )
    typer.echo((out / MARKDOWN_FILE).read_text())


def _cells(presets: str, lora: str, seeds: str) -> "Sequence[Cell]":
    """Return the runs that three lists ask for. Raises DataError, naming the item, for one that is none."""
    from training.ablation.grid import cells_of
    from training.presets import PRESETS, PresetName

    return cells_of(
        _items("--presets", presets, lambda text: msgspec.convert(text, PresetName), ", ".join(PRESETS)),
        _items("--lora", lora, lambda text: 0 if text == _NO_LORA else _at_least(1, text), "none or ranks"),
        _items("--seeds", seeds, lambda text: _at_least(0, text), "whole numbers from 0"),
    )


def _items(option: str, text: str, read: Callable[[str], T], wanted: str) -> list[T]:
    items: list[T] = []
    for item in (each.strip() for each in text.split(",")):
        try:
            items.append(read(item))
        except (ValueError, msgspec.ValidationError) as error:
            raise DataError(f"{option} {item!r} is none of {wanted}") from error
    return list(dict.fromkeys(items))


def _at_least(lowest: int, text: str) -> int:
    number = int(text)
    if number < lowest:
        raise ValueError(text)
    return number
