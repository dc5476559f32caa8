"""Model folders with weights: `config.json` beside `model.safetensors`, or beside the files of an adapter."""

import logging
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from shared.errors import ModelError
from shared.poster.adapter import decode_adapter_config, merge
from shared.poster.config import ModelConfig, encode_config, read_config
from shared.poster.expression import ExpressionModel
from shared.poster.folder import (
    ADAPTER_CONFIG_FILE,
    ADAPTER_FILE,
    CONFIG_FILE,
    WEIGHTS_FILE,
    find_folder,
    format_id,
    new_folder,
    read_parts,
)
from shared.poster.sizes import build
from shared.poster.state import decode, encodable, fill

logger = logging.getLogger(__name__)


def load(name_or_path: str | Path, models: Path | None = None) -> ExpressionModel:
    """Return the model of a folder or name (see `find_folder`), float32, on the CPU, in evaluation mode.

    Its `config` and `id` are set. An adapter is merged into its base, which is looked for by name. Raises
    ModelError when the folder, its config or its weights are missing or don't fit each other, or the base is
    not the model that the adapter was trained on.
    """
    folder = find_folder(name_or_path, models)
    config = read_config(folder / CONFIG_FILE)
    parts = read_parts(folder, config)
    if config.base is None:
        source = str(folder / WEIGHTS_FILE)
        tensors = decode(parts[WEIGHTS_FILE], source)
    else:
        source = str(folder / ADAPTER_FILE)
        adapter = decode_adapter_config(parts[ADAPTER_CONFIG_FILE], str(folder / ADAPTER_CONFIG_FILE))
        tensors = merge(_base_of(config, models), decode(parts[ADAPTER_FILE], source), adapter, source)
    model = empty_model(config)
    fill(model, tensors, source)
    model.config = config
    model.id = format_id(config, parts)
    logger.info("loaded model %s from %s", model.id, folder)
    return model.eval()


def save(model: ExpressionModel, config: ModelConfig, folder: Path, *, half: bool = False) -> None:
    """Write `model` and `config` as the new model folder `folder`: complete, or not at all.

    The model is whole, so the config that is written names no base. With `half`, matrices and kernels are
    stored as float16; vectors, which hold the statistics of the norms, stay float32. Raises ModelError when
    `folder` exists or cannot be written, when model and config don't fit, or when a weight is not finite (in
    float16, if `half`).
    """
    check_fit(model, config)
    with new_folder(folder) as aside:
        write_tensors(encodable(model.state_dict(), config.name, half), aside / WEIGHTS_FILE)
        (aside / CONFIG_FILE).write_bytes(encode_config(msgspec.structs.replace(config, base=None)))
    logger.info("saved model %s to %s", config.name, folder)


def write_tensors(tensors: dict[str, Tensor], file: Path) -> None:
    """Write a safetensors file. Raises OSError, also for what the library itself reports."""
    try:
        save_file(tensors, file)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def empty_model(config: ModelConfig) -> ExpressionModel:
    """Return the model that `config` describes, on the meta device: shapes without weights, for `fill`.

    Raises ModelError when `config` states another input size or embedding than its size of model has.
    """
    with torch.device("meta"):
        model = build(config.size, len(config.labels))
    check_fit(model, config)
    return model


def check_fit(model: ExpressionModel, config: ModelConfig) -> None:
    """Raise ModelError when `config` states other labels, input size or embedding than `model` has."""
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


def _base_of(config: ModelConfig, models: Path | None) -> dict[str, Tensor]:
    """Return the weights of the model that the adapter `config` was trained on."""
    try:
        folder = find_folder(str(config.base).partition("@")[0], models)
        base = read_config(folder / CONFIG_FILE)
        if base.base is not None:
            raise ModelError(f"{folder} is an adapter itself")
        parts = read_parts(folder, base)
        if format_id(base, parts) != config.base:
            raise ModelError(f"{folder} is {format_id(base, parts)}")
        return decode(parts[WEIGHTS_FILE], str(folder / WEIGHTS_FILE))
    except ModelError as error:
        raise ModelError(f"{config.name} is an adapter of {config.base}: {error}") from error
