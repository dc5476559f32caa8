"""State dicts: does one fit a model, and if not, why."""

from collections.abc import Mapping, Sequence

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from shared.errors import ModelError

NAMED_AT_MOST = 3


def decode(data: bytes, source: str) -> dict[str, Tensor]:
    """Return the tensors in the content of a safetensors file. Raises ModelError, naming `source`."""
    try:
        return load(data)
    except (SafetensorError, KeyError) as error:  # KeyError: a number format that torch doesn't have
        raise ModelError(f"{source} is no safetensors file: {error}") from error


def encodable(tensors: Mapping[str, Tensor], name: str, half: bool) -> dict[str, Tensor]:
    """Return `tensors` as they are stored, on the CPU; with `half`, matrices and kernels as float16.

    Vectors, which hold the statistics of the norms, stay as they are. Raises ModelError, naming the model
    `name`, when a weight is not finite (in float16, if `half`).
    """
    stored = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    if half:
        stored = {
            key: tensor.half() if tensor.is_floating_point() and tensor.dim() > 1 else tensor
            for key, tensor in stored.items()
        }
    broken = [key for key, tensor in stored.items() if not tensor.isfinite().all()]
    if broken:
        raise ModelError(f"model {name} has weights that are not finite, the first in {broken[0]}")
    return stored


def fill(model: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Give `model` (which may be on the meta device) the weights `tensors`, floating point as float32.

    Raises ModelError, naming `source`, unless every name and shape fits and every weight is finite.
    """
    mismatch = describe_mismatch(model.state_dict(), tensors)
    if mismatch:
        raise ModelError(f"{source} does not fit: {mismatch}")
    state = {
        name: tensor.detach().to(torch.float32 if tensor.is_floating_point() else torch.int64)
        for name, tensor in tensors.items()
    }
    broken = [name for name, tensor in state.items() if not tensor.isfinite().all()]
    if broken:
        raise ModelError(f"{source} has weights that are not finite: {_some(broken)}")
    model.load_state_dict(state, assign=True)


def describe_mismatch(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """Say in one line which of the `given` tensors don't fit the `wanted` ones; "" if all do."""
    missing = [name for name in wanted if name not in given]
    unexpected = [name for name in given if name not in wanted]
    misshapen = [
        f"{name} ({_shape(given[name])}, not {_shape(wanted[name])})"
        for name in wanted
        if name in given and given[name].shape != wanted[name].shape
    ]
    mistyped = [
        f"{name} ({given[name].dtype})"
        for name in wanted
        if name in given and _kind(given[name]) != _kind(wanted[name])
    ]
    faults = {
        "missing": missing,
        "unexpected": unexpected,
        "of another shape": misshapen,
        "of another type": mistyped,
    }
    return "; ".join(f"{fault} {_some(names)}" for fault, names in faults.items() if names)


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(names[:NAMED_AT_MOST])
    more = len(names) - NAMED_AT_MOST
    return f"{listed} and {more} more" if more > 0 else listed


def _kind(tensor: Tensor) -> tuple[bool, bool]:
    return tensor.is_floating_point(), tensor.is_complex()


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"
