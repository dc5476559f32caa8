"""Files of a training run that a kill leaves whole, above all the state that it goes on from."""

import os
from pathlib import Path
from typing import Any

import torch

from shared.errors import DataError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never a part."""
    partial = _aside(path)
    partial.write_bytes(content)
    _put(partial, path)


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write `state` whole, or not at all; it may hold tensors, numbers, strings, lists and dicts."""
    partial = _aside(path)
    torch.save(state, partial)
    _put(partial, path)


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


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _put(partial: Path, path: Path) -> None:
    os.replace(partial, path)  # noqa: PTH105 - atomic on one file system, overwrites on Windows too
