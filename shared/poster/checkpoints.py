"""Model folders with weights: `config.json` beside `model.safetensors`."""

import logging
import shutil
import uuid
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as decode_tensors
from safetensors.torch import save_file
from torch import Tensor

from shared.errors import ModelError
from shared.poster.config import ModelConfig, encode_config, read_config
from shared.poster.expression import ExpressionModel
from shared.poster.folder import CONFIG_FILE, WEIGHTS_FILE, find_folder, format_id, read_weights
from shared.poster.sizes import build
from shared.poster.state import fill

logger = logging.getLogger(__name__)


def load(name_or_path: str | Path, models: Path | None = None) -> ExpressionModel:
    """Return the model of a folder or name (see `find_folder`), float32, on the CPU, in evaluation mode.

    Its `config` and `id` are set. Raises ModelError when the folder, its config or its weights are missing or
    don't fit each other.
    """
    folder = find_folder(name_or_path, models)
    config = read_config(folder / CONFIG_FILE)
    weights = read_weights(folder)
    source = str(folder / WEIGHTS_FILE)
    try:
        tensors = decode_tensors(weights)
    except (SafetensorError, KeyError) as error:  # KeyError: a number format that torch doesn't have
        raise ModelError(f"{source} is no safetensors file: {error}") from error
    model = empty_model(config)
    fill(model, tensors, source)
    model.config = config
    model.id = format_id(config.name, weights)
    logger.info("loaded model %s from %s", model.id, folder)
    return model.eval()


def save(model: ExpressionModel, config: ModelConfig, folder: Path, *, half: bool = False) -> None:
    """Write `model` and `config` as the new model folder `folder`: complete, or not at all.

    With `half`, matrices and kernels are stored as float16; vectors, which hold the statistics of the norms,
    stay float32. Raises ModelError when `folder` exists or cannot be written, when model and config don't
    fit, or when a weight is not finite (in float16, if `half`).
    """
    _check_fit(model, config)
    if folder.exists():
        raise ModelError(f"{folder} exists already: choose another name for the model")
    tensors = {name: _stored(tensor, half) for name, tensor in model.state_dict().items()}
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise ModelError(f"model {config.name} has weights that are not finite, the first in {broken[0]}")
    aside = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    try:
        aside.mkdir(parents=True)
        save_file(tensors, aside / WEIGHTS_FILE)
        (aside / CONFIG_FILE).write_bytes(encode_config(config))
        aside.rename(folder)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{folder} cannot be written: {error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    logger.info("saved model %s to %s", config.name, folder)


def empty_model(config: ModelConfig) -> ExpressionModel:
    """Return the model that `config` describes, on the meta device: shapes without weights, for `fill`.

    Raises ModelError when `config` states another input size or embedding than its size of model has.
    """
    with torch.device("meta"):
        model = build(config.size, len(config.labels))
    _check_fit(model, config)
    return model


def _check_fit(model: ExpressionModel, config: ModelConfig) -> None:
    stated = {
        "labels": (len(config.labels), model.num_classes),
        "input_size": (config.input_size, model.input_size),
        "embedding_dim": (config.embedding_dim, model.embedding_dim),
    }
    for field, (of_config, of_model) in stated.items():
        if of_config != of_model:
            raise ModelError(
                f"the config of {config.name} does not fit: {field} is {of_config}, the model has {of_model}"
            )


def _stored(tensor: Tensor, half: bool) -> Tensor:
    stored = tensor.detach().cpu().contiguous()
    return stored.half() if half and stored.is_floating_point() and stored.dim() > 1 else stored
