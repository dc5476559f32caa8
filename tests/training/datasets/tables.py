"""Small data sets in the layouts of the published ones."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.training.conftest import write_picture


def pixels_of(seed: int, side: int = 4) -> list[int]:
    pixels: list[int] = np.random.default_rng(seed).integers(0, 256, side * side).tolist()
    return pixels


def write_table(path: Path, rows: Iterable[tuple[object, ...]], header: str = "emotion,pixels,Usage") -> Path:
    """Each row in the order of `header`; lists of pixels become text."""
    lines = [header, *(",".join(map(_text, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_folders(root: Path, names: Iterable[str], count: int = 2, side: int = 8) -> Path:
    """One folder of pictures for each name; each picture is of its own seed, from 0."""
    for place, name in enumerate(names):
        for index in range(count):
            write_picture(root / name / f"{index}.png", place * count + index, side)
    return root


def picture_of(seed: int, side: int = 8) -> NDArray[np.uint8]:
    """What `write_folders` wrote."""
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


def _text(cell: object) -> str:
    return " ".join(map(str, cell)) if isinstance(cell, list) else str(cell)
