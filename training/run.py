"""What `reelmood train` and `reelmood evaluate` do."""

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.poster import checkpoints
from shared.poster.config import ModelConfig
from shared.poster.expression import ExpressionModel
from training.batches import Batches
from training.datasets import Split, read_faces, read_votes
from training.devices import choose_device, describe
from training.evaluation import Report, predict
from training.loop import Position, Run, fit
from training.metrics import score
from training.preparation import as_batches, is_grey, prepare
from training.recipe import Recipe

log = logging.getLogger(__name__)

STATE_FILE = "state.pt"
RECIPE_FILE = "recipe.json"
HISTORY_FILE = "history.json"


def train(
    data: Path,
    init: str | Path,
    out: Path,
    *,
    recipe: Recipe | None = None,
    votes: Path | None = None,
    name: str = "nano",
    models: Path | None = None,
    device: str = "auto",
) -> Path:
    """Train the model `init` on `<data>/train` and return the folder of the trained one, `<out>/<name>`.

    `out` also takes the recipe, the history and, after each epoch, the state from which the same call goes
    on. `votes` is FER+'s CSV. A validation part is cut from the training pictures; those of `<data>/test` are
    left out of both. Raises DataError or ModelError, one line each, on anything that a person can mend.
    """
    recipe = recipe or Recipe()
    where = choose_device(device)
    model = checkpoints.load(init, models)
    config = config_of(model)
    if config.labels != EMOTIONS:
        raise DataError(f"{config.name} gives {', '.join(config.labels)}: training takes the seven emotions")
    if (out / name).exists():
        raise DataError(f"{out / name} exists already: choose another name or folder")
    batches, validation = prepare(data, votes, config, recipe)
    _keep_recipe(out, recipe)
    log.info("training %s on %d pictures, device %s", name, len(batches.images), describe(where))
    torch.manual_seed(recipe.seed)
    run = Run(model, recipe, batches.steps, where)

    def validate(average: ExpressionModel) -> dict[str, float]:
        return _validate(average, config, validation, where)

    with _bar() as bar:
        history = fit(run, batches, out / STATE_FILE, validate, _show_on(bar, recipe.epochs * batches.steps))
    (out / HISTORY_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(history), indent=2))
    checkpoints.save(
        run.averaged, msgspec.structs.replace(config, name=name, metrics=None), out / name, half=True
    )
    return out / name


def evaluate(
    data: Path,
    model: str | Path,
    *,
    split: Split = "test",
    votes: Path | None = None,
    flip: bool = False,
    models: Path | None = None,
    device: str = "auto",
    batch_size: int = 128,
) -> Report:
    """Measure a model on `<data>/<split>`: against its labels and, with `votes`, FER+'s majority too.

    `flip` averages over each picture and its mirror image. Raises DataError or ModelError.
    """
    where = choose_device(device)
    loaded = checkpoints.load(model, models)
    config = config_of(loaded)
    faces = read_faces(data, split, grey=is_grey(config))
    batches = as_batches(faces, torch.from_numpy(faces.labels), config, batch_size)
    loaded.to(where)
    predicted = predict(loaded, config.labels, batches, where, flip).argmax(axis=1)
    scores = {"label": score(faces.labels, predicted)}
    if votes is not None:
        scores["FER+ majority"] = score(read_votes(votes, faces.names).majority(), predicted)
    parameters = sum(parameter.numel() for parameter in loaded.parameters())
    return Report(config.name, parameters, describe(where), split, flip, scores)


def config_of(model: ExpressionModel) -> ModelConfig:
    """Return the config of a model that came from a folder. Raises DataError when it has none."""
    if model.config is None:
        raise DataError("the model has no config: load it from a model folder")
    return model.config


def _validate(
    model: ExpressionModel, config: ModelConfig, batches: Batches, device: torch.device
) -> dict[str, float]:
    predicted = predict(model, config.labels, batches, device, flip=False).argmax(axis=1)
    names = ("label", "majority")
    return {
        f"{name}_{figure}": getattr(score(truth, predicted), figure)
        for name, truth in zip(names, batches.targets.numpy().T, strict=False)
        for figure in ("accuracy", "macro_f1")
    }


def _keep_recipe(out: Path, recipe: Recipe) -> None:
    """Write the recipe; refuse to go on with another one than the run began with."""
    file = out / RECIPE_FILE
    text = msgspec.json.format(msgspec.json.encode(recipe), indent=2)
    out.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.read_bytes() != text:
        raise DataError(f"{out} holds a run with another recipe: choose another folder")
    file.write_bytes(text)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        transient=True,
    )


def _show_on(bar: Progress, steps: int) -> Callable[[Position], None]:
    task = bar.add_task("training", total=steps, loss=0.0)

    def show(position: Position) -> None:
        done = (position.epoch - 1) * position.steps + position.step
        description = f"epoch {position.epoch} of {position.epochs}"
        bar.update(task, completed=done, description=description, loss=position.loss)

    return show
