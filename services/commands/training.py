"""`reelmood train` and `evaluate`."""

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer

from shared.errors import DataError
from shared.settings import load_settings

logger = logging.getLogger(__name__)

DataOption = Annotated[
    Path, typer.Option(help="FER2013 folder: train/ and test/ with one folder per emotion")
]
VotesOption = Annotated[Path | None, typer.Option(help="FER+ votes (CSV) for these pictures")]


def train(
    data: DataOption,
    name: Annotated[str, typer.Option(help="name of the new model")],
    init: Annotated[str, typer.Option(help="model to start from, name or folder")] = "nano",
    votes: VotesOption = None,
    target: Annotated[
        Literal["label", "votes", "mixed"] | None,
        typer.Option(help="FER2013's label, FER+'s votes, or half of each [mixed with --votes]"),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 6,
    batch_size: Annotated[int, typer.Option(min=1)] = 128,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N")] = None,
) -> None:
    """Train a model and put it into the registry. The same call goes on where a run was interrupted."""
    from training.recipe import Recipe
    from training.run import train as run

    settings = load_settings(device=device)
    chosen = target or ("mixed" if votes else "label")
    recipe = Recipe(target=chosen, epochs=epochs, batch_size=batch_size, seed=seed)
    registered = settings.models / name
    if registered.exists():
        raise DataError(f"a model {name} exists already: choose another --name")
    out = settings.home / "runs" / name
    folder = run(
        data, init, out, recipe=recipe, votes=votes, name=name, models=settings.models, device=settings.device
    )
    registered.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(registered)
    logger.info("model %s is in %s, its history in %s", name, registered, out)


def evaluate(
    data: DataOption,
    model: Annotated[str | None, typer.Option(help="model name or folder")] = None,
    split: Annotated[Literal["train", "test"], typer.Option(help="which pictures")] = "test",
    votes: VotesOption = None,
    flip: Annotated[
        bool, typer.Option("--flip", help="average over each picture and its mirror image")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="folder for report.md and report.json")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, not Markdown")] = False,
) -> None:
    """Measure a model on a labelled data set."""
    from training.run import evaluate as measure

    settings = load_settings(model=model, device=device)
    report = measure(
        data,
        settings.model,
        split=split,
        votes=votes,
        flip=flip,
        models=settings.models,
        device=settings.device,
    )
    typer.echo(report.to_json() if as_json else report.to_markdown())
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.json").write_text(report.to_json())
        (out / "report.md").write_text(report.to_markdown())
