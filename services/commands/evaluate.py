"""`reelmood evaluate` and `curves`: how good a model is, and how it came to be."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from shared.errors import DataError
from shared.settings import load_settings
from training.spec import DatasetName


def evaluate(
    data: Annotated[Path, typer.Option(help="folder or table of the data set")],
    dataset: Annotated[DatasetName, typer.Option(help="which data set it is")] = "fer2013",
    model: Annotated[str | None, typer.Option(help="model name or folder")] = None,
    split: Annotated[Literal["train", "test"], typer.Option(help="which pictures")] = "test",
    votes: Annotated[Path | None, typer.Option(help="FER+ votes (CSV) for these pictures")] = None,
    flip: Annotated[
        bool, typer.Option("--flip", help="average over each picture and its mirror image")
    ] = False,
    align: Annotated[bool, typer.Option("--align", help="align the faces by MTCNN first")] = False,
    as_shipped: Annotated[
        bool, typer.Option("--as-shipped", help="take each picture as a clip frame: detect, align, classify")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="folder for report.md, report.json, and plots")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, not Markdown")] = False,
) -> None:
    """Measure a model on a labelled data set."""
    from services.commands.shipped import ShippedReader
    from training.evaluation import run
    from training.evaluation.report import write_report

    if as_shipped and (flip or align):
        raise DataError("--as-shipped goes without --flip and --align: it does what the product does")
    settings = load_settings(model=model, device=device)
    pictures = run.Pictures(dataset, data, split, votes)
    command = shlex.join(["reelmood", *sys.argv[1:]])
    if as_shipped:
        report = run.evaluate_as_shipped(pictures, ShippedReader(settings), command)
    else:
        report = run.evaluate(
            pictures,
            settings.model,
            command,
            flip=flip,
            align=align,
            models=settings.models,
            device=settings.device,
            cache=settings.home / "cache",
        )
    typer.echo(report.to_json() if as_json else report.to_markdown())
    if out is not None:
        write_report(report, out)


def curves(
    runs: Annotated[list[Path], typer.Argument(help="folders of training runs", metavar="RUN…")],
    out: Annotated[Path, typer.Option(help="picture to draw (PNG or SVG)")],
    figure: Annotated[
        str, typer.Option(help="label_accuracy, majority_accuracy, label_macro_f1 or majority_macro_f1")
    ] = "label_accuracy",
) -> None:
    """Draw validation accuracy over epochs, a line for each run (the paper's Fig. 4)."""
    from training.curves import plot_curves

    plot_curves(runs, out, figure)
