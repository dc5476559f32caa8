"""`reelmood gallery`: the faces of a data set among which neighbours are looked for."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from shared.gallery import list_galleries
from shared.settings import load_settings
from shared.storage.models import share_gallery

app = typer.Typer(help="Faces of a data set that neighbours are looked for among.", no_args_is_help=True)


@app.command()
def build(
    data: Annotated[Path, typer.Option(help="folder or table of the data set")],
    dataset: Annotated[
        Literal["fer2013", "rafdb", "affectnet7", "affectnet8", "ckplus", "folder"],
        typer.Option(help="its layout; folder: any pictures in one folder per emotion"),
    ] = "fer2013",
    model: Annotated[str | None, typer.Option(help="model name or folder [the one in use]")] = None,
    align: Annotated[bool, typer.Option("--align", help="align the faces first, as those of clips")] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="in place of the model's gallery")] = False,
) -> None:
    """Have a model read the training split of a data set, and keep its embeddings as its gallery."""
    from shared.poster import load
    from training.devices import choose_device
    from training.gallery import build_gallery

    settings = load_settings(model=model, device=device)
    loaded = load(settings.model, settings.models)
    where = choose_device(settings.device)
    folder = build_gallery(
        loaded,
        dataset,
        data,
        settings.gallery,
        where,
        align=align,
        cache=settings.home / "cache",
        replace=replace,
    )
    share_gallery(settings, str(loaded.id))
    typer.echo(f"the gallery of {loaded.id} is in {folder}")


@app.command("list")
def list_all(as_json: Annotated[bool, typer.Option("--json", help="as JSON, for scripts")] = False) -> None:
    """List the galleries, one for each model."""
    heads = list_galleries(load_settings().gallery)
    if as_json:
        typer.echo(msgspec.json.encode(heads).decode())
        return
    table = Table("model", "faces", "dimension", box=None, pad_edge=False)
    for head in heads:
        table.add_row(head.model, f"{head.faces:,}", str(head.dimension))
    Console().print(table)
