"""The memory of a process that runs a model: it stays as large as one batch makes it."""

import ctypes
import os
import sys
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_MAX: Final = -4
_M_ARENA_MAX: Final = -8
_LARGEST: Final = 2**31 - 1

_KERNELS: Final = 256
"""Kernels that oneDNN keeps; each shape of each layer needs its own, of up to half a megabyte."""


def hold() -> None:
    """Have this process keep what a batch freed for the next one; call it before a model is loaded.

    The C library would hand the maps of a batch back to the system, and each of their pages would cost a
    fault when the next batch comes: up to 7 % of large's time on a CPU. With an arena for each thread it
    would keep more and more of them. oneDNN would keep a thousand kernels; how many it does, the environment
    may say (`ONEDNN_PRIMITIVE_CACHE_CAPACITY`). Sources: mallopt(3); oneDNN, "Primitive Cache". Without
    glibc only the latter is done.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(_KERNELS))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        # Not a threshold for mmap instead: it cannot be set above 32 MB, and a batch's first map is larger.
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _LARGEST)
        mallopt(_M_ARENA_MAX, 1)
