"""Where a run computes, and in which precision."""

from contextlib import AbstractContextManager, nullcontext

import torch

from shared.errors import DataError
from shared.poster.precision import has_fast_bf16


def choose_device(name: str = "auto") -> torch.device:
    """Return the device `name` ("auto": a GPU when there is one). Raises DataError when it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise DataError(f"device {name} cannot be used: {str(error).splitlines()[0]}") from error
    return device


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Return a context that computes in bfloat16 where that is a gain, else in float32."""
    return torch.autocast(device.type, torch.bfloat16) if has_fast_bf16(device) else nullcontext()


def describe(device: torch.device) -> str:
    """Say in words what computes, and how."""
    name = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    )
    return f"{device} ({name}), {'bfloat16' if has_fast_bf16(device) else 'float32'}"
