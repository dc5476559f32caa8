"""What a figure was measured on."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import psutil
import torch

from training.record import code_version

_CPU_INFO: Final = Path("/proc/cpuinfo")
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_LIBRARIES: Final = ("av", "faiss-cpu", "numpy", "opencv-python-headless", "redis")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine, the software, and when; `code` is Reelmood's version, with git's revision in a checkout.

    `busy` is the share of all cores that was in use before the measurement, by others then.
    """

    processor: str
    cores: int
    memory_gb: float
    threads: int
    busy: float
    gpu: str | None
    system: str
    python: str
    torch: str
    libraries: dict[str, str]
    code: str
    date: str


def describe_machine() -> Machine:
    """Return what this process runs on. Watches the processor for a second."""
    busy = psutil.cpu_percent(interval=1) / 100
    return Machine(
        processor=_processor(),
        cores=psutil.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        threads=torch.get_num_threads(),
        busy=busy,
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        system=platform.platform(),
        python=platform.python_version(),
        torch=str(torch.__version__),
        libraries={name: version(name) for name in _LIBRARIES},
        code=code_version(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def default_threads() -> dict[str, str]:
    """Return this process's environment without limits on computing threads, for rivals."""
    return {name: value for name, value in os.environ.items() if name not in _THREADS}


def _processor() -> str:
    """Return the processor's name; Linux alone tells it in a file."""
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
