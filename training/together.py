"""Several processes of one machine that do one run: the caller leads, the others are started beside it."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.multiprocessing.spawn import start_processes

from shared.errors import DataError


@dataclass(frozen=True)
class Meeting:
    """Where the processes of a run meet: a file of their own, the number of this one, how many there are."""

    file: Path
    rank: int
    size: int


@contextmanager
def helped(
    size: int, device: torch.device, work: Callable[..., object], *given: Any
) -> Iterator[Meeting | None]:
    """Have `size` - 1 processes call `work(meeting, *given)` beside the block, and end them with it.

    The block gets the leader's meeting, or None when it is alone. They meet through a file and talk over
    loopback, so that nothing can be reached from other machines; each has its share of the computing threads,
    or the GPU of its number. They end when this process is killed. Raises DataError when there are too few
    GPUs.
    """
    if size == 1:
        yield None
        return
    if device.type == "cuda" and (":" in str(device) or torch.cuda.device_count() < size):
        raise DataError(
            f"{size} processes need --device cuda and {size} GPUs: {torch.cuda.device_count()} here"
        )
    for library in ("GLOO", "NCCL"):
        os.environ.setdefault(f"{library}_SOCKET_IFNAME", _loopback())
    before = torch.get_num_threads()
    threads = max(1, before // size)
    with TemporaryDirectory(prefix="reelmood-") as folder:
        file = Path(folder) / "meeting"
        helpers = start_processes(  # type: ignore[no-untyped-call]
            _help, (file, size, threads, work, given), nprocs=size - 1, join=False, start_method="spawn"
        )
        torch.set_num_threads(threads)
        try:
            yield Meeting(file, 0, size)
        finally:
            torch.set_num_threads(before)
            for helper in helpers.processes:
                helper.terminate()
                helper.join()


def _help(
    index: int, file: Path, size: int, threads: int, work: Callable[..., object], given: tuple[Any, ...]
) -> None:
    torch.set_num_threads(threads)
    work(Meeting(file, index + 1, size), *given)


def _loopback() -> str:
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
