"""Import of checkpoints as the authors of POSTER publish them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Final

import msgspec
import torch
from torch import Tensor

from shared.errors import ModelError
from shared.poster.checkpoints import empty_model
from shared.poster.config import IMAGENET_MEAN, IMAGENET_STD, ModelConfig, Size
from shared.poster.expression import ExpressionModel
from shared.poster.model import DEPTHS, Poster
from shared.poster.state import fill

STATE_KEYS: Final = ("model_state_dict", "state_dict")
PARALLEL_PREFIX: Final = "module."
"""What `torch.nn.DataParallel` puts before every name."""

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class ImportReport:
    """What of a published file went into the model."""

    matched: tuple[str, ...]
    """Names of the tensors taken over: all that the model has."""
    ignored: tuple[str, ...]
    """Other entries of the file, such as the optimiser's state."""
    parameters: int

    def __str__(self) -> str:
        line = f"{len(self.matched)} tensors matched, {self.parameters:,} parameters"
        return f"{line}, ignored: {', '.join(self.ignored)}" if self.ignored else line


def import_published(
    file: Path,
    size: Size,
    labels: tuple[str, ...],
    name: str,
    mean: Triple = IMAGENET_MEAN,
    std: Triple = IMAGENET_STD,
) -> tuple[ExpressionModel, ModelConfig, ImportReport]:
    """Return the model in a published file (in evaluation mode), its config, and what was taken over.

    `file` is a `torch.save` of a state dict, alone or under `model_state_dict`, its names perhaps behind
    `module.`; `labels` are its outputs in order, `mean` and `std` (each channel, for pixels in 0..1) what its
    training normalised with: ImageNet's for the published RAF-DB weights. Nothing but tensors and plain
    values is unpickled. Raises ModelError when the file cannot be read, or a tensor is missing, unexpected or
    of another shape, or the arguments make no valid config.
    """
    if size not in DEPTHS:
        raise ModelError(f"published checkpoints are of size {', '.join(DEPTHS)}, not {size}")
    config = _config(size, labels, name, mean, std)
    model = empty_model(config)
    tensors, ignored = _state_dict(_read(file), file)
    fill(model, tensors, f"{file} ({size}, {len(labels)} labels)")
    model.config = config
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return model.eval(), config, ImportReport(tuple(tensors), ignored, parameters)


def _config(size: Size, labels: tuple[str, ...], name: str, mean: Triple, std: Triple) -> ModelConfig:
    fields = {
        "name": name,
        "size": size,
        "labels": labels,
        "input_size": Poster.input_size,
        "embedding_dim": Poster.embedding_dim,
        "preprocessing": {"mean": mean, "std": std},
    }
    try:
        return msgspec.convert(fields, ModelConfig)
    except msgspec.ValidationError as error:
        raise ModelError(f"model {name} cannot be imported: {error}") from error


def _read(file: Path) -> object:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error
    except UnpicklingError as error:
        raise ModelError(f"{file} holds more than weights, or is no PyTorch file: refused") from error
    except Exception as error:  # damaged bytes make `torch.load` raise almost anything
        raise ModelError(f"{file} is no complete PyTorch file") from error


def _state_dict(content: object, file: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the tensors of a file's content, without the parallel prefix, and the entries left over."""
    ignored: tuple[str, ...] = ()
    if isinstance(content, Mapping):
        for key in STATE_KEYS:
            if isinstance(content.get(key), Mapping):
                ignored = tuple(str(other) for other in content if other != key)
                content = content[key]
                break
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{file} holds no state dict")
    if not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()):
        raise ModelError(f"{file} holds no state dict: not all of its entries are tensors")
    return {key.removeprefix(PARALLEL_PREFIX): value for key, value in content.items()}, ignored
