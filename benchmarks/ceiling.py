"""The ceiling of a device: the fastest convolution and the fastest matrix product that torch does on it."""

from collections.abc import Callable, Sequence
from typing import Final, Literal, get_args

import msgspec
import torch
from torch.nn.functional import conv2d

from benchmarks.timing import time_in_turn
from shared.poster.precision import choose_dtype, has_fast_bf16

Precision = Literal["fp32", "bf16"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

CONVOLUTIONS: Final = ((64, 56), (128, 28), (256, 14), (512, 14))
"""Channels and side of the maps, kernels 3×3: those of IR-50, and one wider."""
MATRICES: Final = (1024, 2048)
"""Side of square matrices."""
_KERNEL: Final = 3


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """What a device reaches in one precision, in GFLOP/s; a multiplication and an addition count two."""

    precision: Precision
    convolution_gflops: float
    matmul_gflops: float

    @property
    def gflops(self) -> float:
        """The better of the two."""
        return max(self.convolution_gflops, self.matmul_gflops)


def measure_ceiling(
    precision: Precision,
    device: torch.device,
    repeats: int,
    batch: int = 8,
    convolutions: Sequence[tuple[int, int]] = CONVOLUTIONS,
    matrices: Sequence[int] = MATRICES,
) -> Ceiling:
    """Return the best rates over several shapes, each at its best of `repeats` calls.

    The best call and not the median: a ceiling is what nothing has come above. Raises as `dtype_of`.
    """
    dtype = dtype_of(precision, device)
    return Ceiling(
        precision=precision,
        convolution_gflops=max(
            _rate(*_convolution(channels, side, batch, dtype, device), device, repeats)
            for channels, side in convolutions
        ),
        matmul_gflops=max(_rate(*_matmul(side, dtype, device), device, repeats) for side in matrices),
    )


def dtype_of(precision: Precision, device: torch.device) -> torch.dtype:
    """Return what torch calls a precision. Raises ReelmoodError when `device` does not multiply in it."""
    return choose_dtype("float32" if precision == "fp32" else "bfloat16", device)


def precisions_of(device: torch.device) -> tuple[Precision, ...]:
    """Return the precisions that `device` multiplies in."""
    return PRECISIONS if has_fast_bf16(device) else ("fp32",)


def finish(device: torch.device) -> None:
    """Wait until a device has done all that it was given; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _convolution(
    channels: int, side: int, batch: int, dtype: torch.dtype, device: torch.device
) -> tuple[Callable[[], object], float]:
    """Return a convolution, and its operations."""
    maps = torch.randn(batch, channels, side, side, dtype=dtype, device=device)
    maps = maps.to(memory_format=torch.channels_last)
    kernel = torch.randn(channels, channels, _KERNEL, _KERNEL, dtype=dtype, device=device)
    kernel = kernel.to(memory_format=torch.channels_last)
    return lambda: conv2d(maps, kernel, padding=1), 2.0 * batch * side**2 * channels**2 * _KERNEL**2


def _matmul(side: int, dtype: torch.dtype, device: torch.device) -> tuple[Callable[[], object], float]:
    one = torch.randn(side, side, dtype=dtype, device=device)
    other = torch.randn(side, side, dtype=dtype, device=device)
    return lambda: one @ other, 2.0 * side**3


def _rate(call: Callable[[], object], operations: float, device: torch.device, repeats: int) -> float:
    def run() -> None:
        call()
        finish(device)

    with torch.inference_mode():
        return operations / min(time_in_turn({"": run}, repeats)[""]) / 1e9
