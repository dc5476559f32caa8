"""`reelmood landmarks` and `models create`: the published sizes without the published landmark weights."""

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer

from services.commands.bar import training_bar
from shared.emotions import LABEL_SETS, LabelSet
from shared.poster.folder import check_name
from shared.settings import load_settings

logger = logging.getLogger(__name__)


def landmarks(
    data: Annotated[Path, typer.Option(help="folder or table of the data set")],
    out: Annotated[Path, typer.Option(help="folder that gets the stream, its report and its state")],
    dataset: Annotated[
        Literal["fer2013", "rafdb", "affectnet7", "affectnet8", "ckplus", "folder"],
        typer.Option(help="what the data set is"),
    ] = "fer2013",
    limit: Annotated[int | None, typer.Option(min=1, help="train on at most so many pictures")] = None,
    teacher: Annotated[str, typer.Option(help="the nano whose 68-point net teaches")] = "nano",
    epochs: Annotated[int, typer.Option(min=1)] = 10,
    batch_size: Annotated[int, typer.Option(min=2)] = 128,
    lr: Annotated[float, typer.Option(min=1e-9, help="peak of the learning rate")] = 2e-3,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N")] = None,
) -> None:
    """Train MobileFaceNet on the points of the 68-point net. The same call goes on after an interruption."""
    from training.landmarks.run import train
    from training.landmarks.spec import LandmarkSpec

    settings = load_settings(device=device)
    spec = LandmarkSpec(
        dataset=dataset,
        data=str(data),
        limit=limit,
        teacher=teacher,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        seed=seed,
    )
    with training_bar() as bar:
        report = train(spec, out, models=settings.models, device=settings.device, observe=bar)
    typer.echo(report.to_markdown())


def create(
    name: Annotated[str, typer.Argument(help="name the model gets")],
    landmarks: Annotated[Path, typer.Option(help="folder that `reelmood landmarks` has written")],
    size: Annotated[Literal["small", "base", "large"], typer.Option(help="size of the model")] = "large",
    labels: Annotated[LabelSet, typer.Option(help="its labels and their order")] = "fer2013",
    grey: Annotated[bool, typer.Option("--grey", help="show it faces without colour")] = False,
    resample: Annotated[
        int | None, typer.Option(help="bring faces to this side first: the one of its training pictures")
    ] = None,
    zoom: Annotated[float, typer.Option(help="scale of an aligned face about its centre")] = 1.0,
) -> None:
    """Make an untrained small, base or large around a landmark stream, to train from."""
    from training.landmarks.initial import make_initial

    check_name(name)
    out = load_settings().models / name
    make_initial(landmarks, out, size, LABEL_SETS[labels], grey=grey, resample=resample, zoom=zoom)
    typer.echo(f"{name} is in {out}")
