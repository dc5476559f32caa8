"""`reelmood train`."""

import logging
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from services.commands.bar import training_bar
from shared.errors import DataError
from shared.poster.folder import check_name
from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from training.recipe import Recipe
    from training.spec import RunSpec

logger = logging.getLogger(__name__)

Preset = Literal["modern", "standard", "augmented", "balanced", "cb", "all"]
Target = Literal["label", "votes", "mixed"]


def train(
    name: Annotated[str, typer.Option(help="name of the new model")],
    data: Annotated[
        Path | None, typer.Option(help="folder or table of the data set [corrections: this home's]")
    ] = None,
    dataset: Annotated[
        Literal["fer2013", "rafdb", "affectnet7", "affectnet8", "ckplus", "folder", "corrections"],
        typer.Option(help="what the data set is"),
    ] = "fer2013",
    init: Annotated[str, typer.Option(help="model to start from, name or folder")] = "nano",
    new_head: Annotated[
        bool, typer.Option("--new-head", help="replace the last layer where the label sets differ")
    ] = False,
    votes: Annotated[Path | None, typer.Option(help="FER+ votes (CSV) for FER2013's pictures")] = None,
    align: Annotated[bool, typer.Option("--align", help="align the faces by MTCNN first")] = False,
    add_corrections: Annotated[
        bool, typer.Option("--add-corrections", help="train on this home's corrected faces too")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="train on so many pictures at most")] = None,
    preset: Annotated[Preset, typer.Option(help="recipe: a modern one, or a row of the paper")] = "modern",
    recipe: Annotated[
        Path | None, typer.Option(help="recipe of your own (JSON), in place of the preset")
    ] = None,
    target: Annotated[
        Target | None,
        typer.Option(help="the data set's label, FER+'s votes, or half of each [label without --votes]"),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="in place of the recipe's")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="of each process")] = None,
    lr: Annotated[
        float | None, typer.Option(min=1e-9, help="peak rate; the pretrained stream's goes with it")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    paper_split: Annotated[
        bool, typer.Option("--paper-split", help="validate on the test split, as the paper did")
    ] = False,
    lora: Annotated[int | None, typer.Option(min=1, help="train an adapter of this rank alone")] = None,
    hybrid: Annotated[
        bool, typer.Option("--hybrid", help="with --lora: train norms, attention and the last block too")
    ] = False,
    enqueue: Annotated[bool, typer.Option("--enqueue", help="leave it to `reelmood trainer`")] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N")] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="processes that share each step, with a GPU each where there are GPUs")
    ] = 1,
) -> None:
    """Train a model and put it into the registry. The same call goes on where a run was interrupted.

    For several GPUs: --processes N. For several machines: torchrun --no-python … reelmood train …
    """
    from training.recipe import Lora
    from training.spec import RunSpec

    check_name(name)
    settings = load_settings(device=device)
    if hybrid and lora is None:
        raise DataError("--hybrid goes with --lora")
    base = _read_recipe(recipe) if recipe is not None else _preset(preset, votes)
    changes = {
        "target": target,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "backbone_lr": lr and lr * base.backbone_lr / base.lr,
        "seed": seed,
        "paper_split": paper_split or None,
        "lora": Lora(rank=lora, hybrid=hybrid) if lora is not None else None,
    }
    spec = RunSpec(
        name=name,
        dataset=dataset,
        data=str(_data(data, dataset, settings)),
        votes=None if votes is None else str(votes),
        align=align,
        corrections=str(settings.corrections) if add_corrections else None,
        init=init,
        new_head=new_head,
        limit=limit,
        device=settings.device,
        processes=processes,
        recipe=msgspec.structs.replace(
            base, **{key: each for key, each in changes.items() if each is not None}
        ),
    )
    if enqueue:
        from services.commands.enqueue import enqueue as order

        order(settings, spec)
    else:
        _train(settings, spec)


def _data(data: Path | None, dataset: str, settings: Settings) -> Path:
    if data is not None:
        return data
    if dataset == "corrections":
        return settings.corrections
    raise DataError(f"say with --data where {dataset} is")


def _train(settings: Settings, spec: "RunSpec") -> None:
    from training.distributed import leads
    from training.observer import NOBODY
    from training.run import train as run

    registered, out = settings.models / spec.name, settings.runs / spec.name
    if registered.exists():
        raise DataError(f"a model {spec.name} exists already: choose another --name")
    with training_bar() if leads() else nullcontext(NOBODY) as observe:
        folder = run(spec, out, models=settings.models, cache=settings.home / "cache", observe=observe)
    if leads():
        registered.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(registered)
        logger.info("model %s is in %s, its history in %s", spec.name, registered, out)


def _preset(name: Preset, votes: Path | None) -> "Recipe":
    from training.presets import PRESETS

    return PRESETS[name] if votes is not None else msgspec.structs.replace(PRESETS[name], target="label")


def _read_recipe(file: Path) -> "Recipe":
    from training.recipe import Recipe

    try:
        return msgspec.json.decode(file.read_bytes(), type=Recipe)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{file} is no recipe: {error}") from error
