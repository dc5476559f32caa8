"""The state a training run goes on from, written whole after every epoch."""

import os
from pathlib import Path
from typing import Any

import torch

from shared.errors import DataError


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write `state` so that a kill leaves the old file or the new one, never a part.

    `state` may hold tensors, numbers, strings, lists and dicts.
    """
    partial = path.with_name(f".{path.name}.part")
    torch.save(state, partial)
    os.replace(partial, path)  # noqa: PTH105 - atomic on one file system, overwrites on Windows too


def read_state(path: Path) -> dict[str, Any] | None:
    """Return the state in `path`, or None when there is none. Raises DataError when it cannot be read.

    Read with `weights_only=True`: a file from elsewhere cannot run code.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise DataError(f"{path} is no training state ({type(error).__name__})") from error
    return state
