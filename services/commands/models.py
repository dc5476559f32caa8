"""`reelmood models`: the registry."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.commands import promotion
from shared.emotions import LABEL_SETS, LabelSet
from shared.errors import ModelError
from shared.poster.active import ACTIVE, active
from shared.poster.config import IMAGENET_MEAN, IMAGENET_STD, read_config
from shared.poster.folder import CONFIG_FILE, check_name, find_folder, list_folders, model_id
from shared.settings import load_settings

app = typer.Typer(help="The models that can read faces.", no_args_is_help=True)

Triple = tuple[float, float, float]
JsonOption = Annotated[bool, typer.Option("--json", help="as JSON, for scripts")]

app.command()(promotion.promote)
app.command()(promotion.rollback)


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the list; where `error` says why it cannot be used, only the folder is known."""

    name: str
    size: str = ""
    id: str = ""
    base: str | None = None
    folder: str
    active: bool
    error: str = ""


@app.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """List the models, the bundled ones included."""
    settings = load_settings()
    in_use = active(settings.models).name if settings.model == ACTIVE else settings.model
    rows = [_row(folder, in_use) for folder in list_folders(settings.models)]
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
        return
    table = Table("name", "size", "id", "base", "folder", "", box=None, pad_edge=False)
    for row in rows:
        mark = " *" if row.active else ""
        table.add_row(row.name + mark, row.size, row.id, row.base, row.folder, escape(row.error))
    Console().print(table)
    typer.echo("* is the one in use")


@app.command()
def show(name: Annotated[str, typer.Argument(help="model name or folder")]) -> None:
    """Show a model's configuration, as JSON."""
    folder = find_folder(name, load_settings().models)
    config = msgspec.json.encode(read_config(folder / CONFIG_FILE))
    typer.echo(msgspec.json.format(config, indent=2).decode())


@app.command("import")
def import_checkpoint(
    file: Annotated[Path, typer.Argument(help="published checkpoint (.pth)")],
    name: Annotated[str, typer.Option(help="name the model gets")],
    size: Annotated[Literal["small", "base", "large"], typer.Option(help="size of the model")] = "large",
    labels: Annotated[LabelSet, typer.Option(help="its labels and their order")] = "rafdb",
    mean: Annotated[Triple, typer.Option(help="mean of R, G, B, for pixels in 0..1")] = IMAGENET_MEAN,
    std: Annotated[Triple, typer.Option(help="deviation of R, G, B")] = IMAGENET_STD,
) -> None:
    """Turn a published POSTER checkpoint into a model."""
    from shared.poster.checkpoints import save
    from shared.poster.published import import_published

    settings = load_settings()
    model, config, report = import_published(file, size, LABEL_SETS[labels], name, mean, std)
    settings.models.mkdir(parents=True, exist_ok=True)
    save(model, config, settings.models / name)
    typer.echo(str(report))
    typer.echo(f"{name} is in {settings.models / name}")


@app.command("import-streams")
def import_streams(
    folder: Annotated[Path, typer.Argument(help="the `model` folder of npm's @vladmandic/face-api 1.7.15")],
    name: Annotated[str, typer.Option(help="name the model gets")] = "nano-initial",
) -> None:
    """Make the initial weights of nano from its two pretrained streams."""
    from training.streams import make_nano

    out = load_settings().models / name
    make_nano(folder, out, name)
    typer.echo(f"{name} is in {out}")


@app.command()
def merge(
    adapter: Annotated[str, typer.Argument(help="name or folder of an adapter")],
    name: Annotated[str, typer.Option(help="name the whole model gets")],
) -> None:
    """Write an adapter and its base as one whole model."""
    from shared.poster.checkpoints import load, save

    settings = load_settings()
    check_name(name)
    model = load(adapter, settings.models)
    if model.config is None or model.config.base is None:
        raise ModelError(f"{adapter} is a whole model already")
    settings.models.mkdir(parents=True, exist_ok=True)
    save(model, msgspec.structs.replace(model.config, name=name), settings.models / name)
    typer.echo(f"{name} is in {settings.models / name}")


def _row(folder: Path, in_use: str) -> _Row:
    row = _Row(name=folder.name, folder=str(folder), active=folder.name == in_use)
    try:
        config = read_config(folder / CONFIG_FILE)
        return msgspec.structs.replace(row, size=config.size, id=model_id(folder), base=config.base)
    except ModelError as error:
        return msgspec.structs.replace(row, error=str(error))
