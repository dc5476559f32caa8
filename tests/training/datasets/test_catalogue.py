import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from shared.emotions import EMOTIONS
from shared.errors import DataError
from tests.training.conftest import write_picture
from tests.training.datasets.tables import write_folders
from training.datasets import labels_of, open_dataset
from training.datasets.labels import EIGHT


def test_the_fingerprint_is_over_pictures_and_labels(tmp_path: Path) -> None:
    write_folders(tmp_path, EMOTIONS, count=1)
    digests = [hashlib.sha256((tmp_path / name / "0.png").read_bytes()).hexdigest() for name in EMOTIONS]
    text = "".join(f"train {name} {own}\n" for name, own in zip(EMOTIONS, digests, strict=True))
    dataset = open_dataset("folder", tmp_path, 8, grey=True)
    assert dataset.fingerprint == hashlib.sha256(text.encode()).hexdigest()
    assert open_dataset("folder", tmp_path, 16, grey=False).fingerprint == dataset.fingerprint


def _add(root: Path) -> None:
    write_picture(root / "train" / "sad" / "9.png", 99)


def _change(root: Path) -> None:
    write_picture(root / "train" / "sad" / "0.png", 99)


def _relabel(root: Path) -> None:
    (root / "train" / "sad" / "0.png").rename(root / "train" / "surprise" / "-.png")


def _swap_splits(root: Path) -> None:
    for old, new in (("train", "aside"), ("test", "train"), ("aside", "test")):
        (root / old).rename(root / new)


@pytest.mark.parametrize("change", [_add, _change, _relabel, _swap_splits])
def test_another_data_set_has_another_fingerprint(tree: Path, change: Callable[[Path], None]) -> None:
    before = open_dataset("fer2013", tree, 8, grey=True).fingerprint
    change(tree)
    assert open_dataset("fer2013", tree, 8, grey=True).fingerprint != before


def test_the_label_set_is_known_before_anything_is_read(tmp_path: Path) -> None:
    write_folders(tmp_path / "seven", EMOTIONS)
    write_folders(tmp_path / "eight" / "train", EIGHT)
    assert labels_of("folder", tmp_path / "seven") == EMOTIONS
    assert labels_of("folder", tmp_path / "eight") == EIGHT
    nowhere = tmp_path / "none"
    sets = [labels_of(name, nowhere) for name in ("fer2013", "rafdb", "affectnet7", "affectnet8", "ckplus")]
    assert sets == [EMOTIONS, EMOTIONS, EMOTIONS, EIGHT, EIGHT]
    with pytest.raises(DataError, match="none is no folder"):
        labels_of("folder", nowhere)


def test_a_data_set_that_memory_cannot_hold_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=42 * 48 * 48 - 1))
    with pytest.raises(DataError, match=r"^42 pictures of 48×48 take 0\.0 GB of memory, 0\.0 GB are free$"):
        open_dataset("fer2013", tree, 48, grey=True)
