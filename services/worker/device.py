"""The device that the model runs on: which one it is, and what it means when it fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import torch

from shared.errors import ReelmoodError


class DeviceError(ReelmoodError):
    """The device itself failed, whatever the faces were."""

    exit_code = 3


class DeviceFullError(DeviceError):
    """The device has no memory for a batch of this size; a smaller one may fit."""


class DeviceLostError(DeviceError):
    """The device answers nothing any more until the process is started again."""


def resolve(name: str) -> torch.device:
    """Return the device for "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:1".

    Raises ReelmoodError when it is not there.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ReelmoodError(f"device {name} cannot be used: this machine has no CUDA device that torch sees")
    index = int(name.partition(":")[2] or 0)
    if index >= torch.cuda.device_count():
        raise ReelmoodError(
            f"device {name} cannot be used: CUDA devices are 0 to {torch.cuda.device_count() - 1}"
        )
    return torch.device("cuda", index)


def describe(device: torch.device) -> str:
    """Return the device in words, for logs and the dashboard."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def use_one_thread() -> None:
    """Keep this process to one computing thread; a machine's cores are used by several workers.

    Threads of several processes wait for each other at every barrier of a parallel region.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@contextmanager
def faults_named() -> Iterator[None]:
    """Raise DeviceFullError or DeviceLostError for what torch raises when it is the device that failed."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise DeviceFullError(f"the device is out of memory: {_first_line(error)}") from error
    except RuntimeError as error:
        if isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error):
            raise DeviceLostError(f"the device is lost: {_first_line(error)}") from error
        raise


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
