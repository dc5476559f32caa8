"""When a process ends: with its parent, and when it has computed for too long."""

import ctypes
import math
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_PDEATHSIG = 1


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Ask the kernel to send this process a signal when its parent ends, however it ends.

    Linux only (`prctl(2)`, PR_SET_PDEATHSIG; survives `execve`); elsewhere it does nothing.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number)


@contextmanager
def computing_at_most(seconds: float) -> Iterator[None]:
    """End this process by SIGXCPU when the block takes more than so much processor time, to the second."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = math.ceil(time.process_time() + seconds)
    lowest = min(each for each in (limit, soft, hard) if each != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_CPU, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
