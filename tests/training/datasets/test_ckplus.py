from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from shared.errors import DataError
from tests.training.datasets.tables import pixels_of, write_table
from training.datasets import open_dataset
from training.datasets.labels import EIGHT

# ckextended.csv counts 0 to 7: angry, disgust, fear, happy, sad, surprise, neutral, contempt.
IN_EIGHT = [0, 1, 2, 3, 5, 6, 4, 7]
CODES = [number % 8 for number in range(80)]


def write_ckplus(folder: Path, subjects: list[str] | None = None) -> Path:
    rows = [(code, pixels_of(number), "Training") for number, code in enumerate(CODES)]
    if subjects is None:
        return write_table(folder / "ckextended.csv", rows)
    with_subjects = [(*row, subject) for row, subject in zip(rows, subjects, strict=True)]
    return write_table(folder / "ckextended.csv", with_subjects, "emotion,pixels,Usage,Subject")


def test_pictures_are_split_as_in_the_published_code(tmp_path: Path) -> None:
    dataset = open_dataset("ckplus", write_ckplus(tmp_path).parent, 4, grey=True)
    train, test = train_test_split(np.arange(80), test_size=0.2, random_state=42, stratify=CODES)
    assert dataset.test is not None
    assert dataset.labels == EIGHT
    for faces, rows in ((dataset.train, train), (dataset.test, test)):
        assert faces.subjects is None
        assert faces.names == tuple(f"ckextended.csv/{row}" for row in sorted(rows))
        assert faces.labels.tolist() == [IN_EIGHT[CODES[row]] for row in sorted(rows)]
        np.testing.assert_array_equal(faces.images[0].ravel(), pixels_of(min(rows)))
    assert np.bincount(dataset.test.labels).tolist() == [2] * 8


def test_subjects_are_in_one_split_only(tmp_path: Path) -> None:
    write_ckplus(tmp_path, [f"S{number // 4:03d}" for number in range(80)])
    dataset = open_dataset("ckplus", tmp_path / "ckextended.csv", 4, grey=True)
    assert dataset.test is not None
    assert dataset.train.subjects is not None
    assert dataset.test.subjects is not None
    assert not set(dataset.train.subjects) & set(dataset.test.subjects)
    assert len(dataset.train) + len(dataset.test) == 80
    assert 8 <= len(dataset.test) <= 24
    for name, subject in zip(dataset.test.names, dataset.test.subjects, strict=True):
        assert subject == f"S{int(name.split('/')[1]) // 4:03d}"


@pytest.mark.parametrize("rows", [[], [(0, pixels_of(0), "Training")]])
def test_a_table_too_small_to_split_is_named(tmp_path: Path, rows: list[tuple[object, ...]]) -> None:
    with pytest.raises(DataError, match=r"ckextended\.csv cannot be split"):
        open_dataset("ckplus", write_table(tmp_path / "ckextended.csv", rows), 4, grey=True)


def test_a_folder_without_the_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ckextended\.csv cannot be read"):
        open_dataset("ckplus", tmp_path, 4, grey=True)
