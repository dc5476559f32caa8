"""Making a model the active one, and taking that back."""

from pathlib import Path

import msgspec
import torch

from shared.errors import ModelError
from shared.poster.active import ACTIVE, NOTHING_PROMOTED, Promotion, read_promotions, write_promotions
from shared.poster.checkpoints import load
from shared.poster.config import Name
from shared.poster.expression import ExpressionModel
from shared.poster.folder import BUNDLED, find_folder


def load_and_try(name_or_path: str | Path, models: Path | None) -> ExpressionModel:
    """Load a model and have it read a blank face.

    Raises ModelError as `load`, and when the answer holds numbers that are not finite.
    """
    model = load(name_or_path, models)
    with torch.inference_mode():
        logits, embedding = model(torch.zeros(1, 3, model.input_size, model.input_size))
    if not (logits.isfinite().all() and embedding.isfinite().all()):
        raise ModelError(f"{model.id} answers with numbers that are not finite")
    return model


def load_candidate(name: str, models: Path) -> ExpressionModel:
    """Return the model `name`, if it may be promoted.

    Raises ModelError when it is given as a path (workers of other hosts know models by name), when it is not
    there, or when it cannot be used.
    """
    if name == ACTIVE:
        raise ModelError(f"{ACTIVE} stands for the model in use: name another one")
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError as error:
        raise ModelError(f"{name} is no name: only a model in {models} can be promoted") from error
    return load_and_try(name, models)


def promote(name: str, model_id: str, models: Path) -> Promotion:
    """Make the model `name` the active one, and return its promotion; promoting the active one does nothing.

    The model has been tried before: see `load_candidate`. Raises ModelError when the list of promotions
    cannot be read or written.
    """
    promotions = read_promotions(models)
    promotion = Promotion(name=name, id=model_id)
    if promotion != promotions[-1]:
        write_promotions(models, [*promotions, promotion])
    return promotion


def roll_back(models: Path) -> Promotion:
    """Take the last promotion back, and return the one that counts now.

    Raises ModelError when there is none to take back, or when the model before it cannot be used any more:
    the active one then stays.
    """
    promotions = read_promotions(models)
    if promotions[-1] == NOTHING_PROMOTED:
        raise ModelError("no model has been promoted: there is nothing to go back to")
    before = promotions[-2]
    check_unchanged(before, str(load_and_try(before.name, models).id), models)
    write_promotions(models, promotions[:-1])
    return before


def check_unchanged(promotion: Promotion, model_id: str, models: Path) -> None:
    """Raise ModelError when a model's files are not those that were promoted.

    The bundled models change with Reelmood itself.
    """
    if promotion.id in (None, model_id) or find_folder(promotion.name, models).parent == BUNDLED:
        return
    raise ModelError(
        f"model {promotion.name} has changed since it was promoted: it was {promotion.id}, it is {model_id}"
    )
