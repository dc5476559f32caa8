"""Several processes of one machine that do one run: the caller leads, the others are started beside it."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
from torch.multiprocessing.spawn import ProcessContext, ProcessException, start_processes

from shared.errors import DataError, ReelmoodError

_LOOK_S: Final = 0.1
_END_S: Final = 5.0


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
    or the GPU of its number. The block begins when all are up; they end when this process is killed. Raises
    DataError when there are too few GPUs, ReelmoodError when one of them ends early.
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
            while not all(_sign_of(file, rank).exists() for rank in range(1, size)):
                _look_after(helpers, _LOOK_S)
            yield Meeting(file, 0, size)
        except RuntimeError:
            # what the leader hears of a helper's end is that their connection is gone
            _look_after(helpers, _END_S)
            raise
        finally:
            torch.set_num_threads(before)
            for helper in helpers.processes:
                helper.terminate()
                helper.join()


def _help(
    index: int, file: Path, size: int, threads: int, work: Callable[..., object], given: tuple[Any, ...]
) -> None:
    torch.set_num_threads(threads)
    meeting = Meeting(file, index + 1, size)
    _sign_of(file, meeting.rank).touch()
    work(meeting, *given)


def _sign_of(file: Path, rank: int) -> Path:
    """Return the file that says that the process with this number is up."""
    return file.with_name(f"{file.name}-{rank}")


def _look_after(helpers: ProcessContext, longest_s: float) -> None:
    """Wait until a process ends, but no longer. Raises ReelmoodError when one has failed."""
    try:
        helpers.join(timeout=longest_s)
    except ProcessException as error:
        reason = error.msg.strip().splitlines()[-1]
        raise ReelmoodError(f"a process that shares the run has ended: {reason}") from None


def _loopback() -> str:
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
