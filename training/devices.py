"""Where a run computes, and in which precision."""

from contextlib import AbstractContextManager, nullcontext

import torch

from shared.errors import DataError


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


def has_fast_bf16(device: torch.device) -> bool:
    """Say whether bfloat16 is a gain: on a GPU that computes in it, or a CPU with AVX-512 BF16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Return a context that computes in bfloat16 where that is a gain, else in float32."""
    return torch.autocast(device.type, torch.bfloat16) if has_fast_bf16(device) else nullcontext()


def describe(device: torch.device) -> str:
    """Say in words what computes, and how."""
    name = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    )
    return f"{device} ({name}), {'bfloat16' if has_fast_bf16(device) else 'float32'}"
