from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.emotions import EMOTIONS
from training.datasets import OTHER_COLUMNS, VOTE_COLUMNS


def write_picture(path: Path, seed: int, side: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    assert cv2.imwrite(str(path), noise)


def write_tree(root: Path, train: int = 6, test: int = 2) -> Path:
    seed = 0
    for split, count in (("train", train), ("test", test)):
        for emotion in EMOTIONS:
            for index in range(count):
                write_picture(root / split / emotion / f"{index}.png", seed)
                seed += 1
    return root


def write_votes(path: Path, rows: dict[str, dict[str, int]]) -> Path:
    columns = (*VOTE_COLUMNS, *OTHER_COLUMNS)
    lines = [",".join(("path", *columns))]
    for name, counts in rows.items():
        lines.append(",".join([name, *(str(counts.get(column, 0)) for column in columns)]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "faces")
