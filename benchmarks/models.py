"""Models for benchmarks: a folder's, or one of any size with new weights."""

from pathlib import Path

import msgspec
import torch
from torch import Tensor, nn

from shared.emotions import EMOTIONS
from shared.poster import build, load
from shared.poster.checkpoints import save
from shared.poster.config import ModelConfig, Size
from shared.poster.expression import ExpressionModel
from shared.poster.folder import find_folder

_FACES = 8


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which model is measured: `size` with new weights, else the one called `name`."""

    name: str = "active"
    size: Size | None = None
    seed: int = 0


def config_of(size: Size, name: str = "bench") -> ModelConfig:
    """Return the config of a new model of this size."""
    with torch.device("meta"):
        model = build(size, len(EMOTIONS))
    return ModelConfig(name=name, size=size, input_size=model.input_size, embedding_dim=model.embedding_dim)


def new_model(size: Size, seed: int = 0) -> ExpressionModel:
    """Return a model with new weights in evaluation mode, its batch norms fitted to noise.

    Unfitted, activations would grow from layer to layer and meet numbers that processors are slow at.
    """
    torch.manual_seed(seed)
    model = build(size, len(EMOTIONS))
    fit_norms(model, torch.randn(_FACES, 3, model.input_size, model.input_size))
    return model


def fit_norms(model: ExpressionModel, images: Tensor) -> None:
    """Fit the batch norms to normalised faces [B, 3, S, S], and put the model into evaluation mode."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    model.eval()
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    with torch.no_grad():
        model.features(images)
    for norm in norms:
        norm.momentum = 0.1
    model.eval()


def open_model(choice: Choice, models: Path | None) -> ExpressionModel:
    """Return the chosen model, float32, in evaluation mode. Raises ModelError as `shared.poster.load`."""
    return load(choice.name, models) if choice.size is None else new_model(choice.size, choice.seed)


def model_folder(choice: Choice, models: Path | None, made: Path) -> Path:
    """Return the absolute folder of the chosen model; one with new weights is written into `made`."""
    if choice.size is None:
        return find_folder(choice.name, models).resolve()
    folder = made / f"bench-{choice.size}"
    if not folder.exists():
        save(new_model(choice.size, choice.seed), config_of(choice.size, folder.name), folder)
    return folder.resolve()
