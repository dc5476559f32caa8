from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from shared import corrections
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


def write_corrections(folder: Path, labels: Sequence[str]) -> Path:
    """Corrected faces, one per label: 112×112 pictures of noise."""
    noise = np.random.default_rng(len(labels))
    made = {}
    for frame, label in enumerate(labels):
        known = {
            "label": label,
            "predicted": "neutral",
            "confidence": 0.3,
            "model": "nano@1",
            "clip": "clip-1",
            "content": "",
            "name": "clip.mp4",
            "frame": frame,
            "face": 0,
            "track": 0,
            "time_s": frame / 25,
            "decided_s": 1.0,
        }
        pixels = noise.integers(0, 256, (112, 112, 3), dtype=np.uint8)
        picture = cv2.imencode(".jpg", pixels)[1].tobytes()
        made[msgspec.convert(known, corrections.Correction)] = picture
    corrections.put(folder, made)
    return folder


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
