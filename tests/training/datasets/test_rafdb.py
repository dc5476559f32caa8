from pathlib import Path

import numpy as np
import pytest

from shared.emotions import EMOTIONS
from shared.errors import DataError
from tests.training.conftest import write_picture
from tests.training.datasets.tables import picture_of, write_folders
from training.datasets import open_dataset

# RAF-DB's 1 to 7: surprise, fear, disgust, happy, sad, angry, neutral.
IN_EMOTIONS = [6, 2, 1, 3, 5, 0, 4]


def write_original(root: Path, lines: list[str]) -> Path:
    (root / "EmoLabel").mkdir(parents=True)
    (root / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    for seed, line in enumerate(lines):
        name = line.split(".")[0]
        write_picture(root / "Image" / "aligned" / f"{name}_aligned.jpg", seed, side=8)
    return root


def test_reads_the_numbered_folders(tmp_path: Path) -> None:
    write_folders(tmp_path / "DATASET" / "train", map(str, range(1, 8)))
    write_folders(tmp_path / "DATASET" / "test", map(str, range(1, 8)), count=1)
    dataset = open_dataset("rafdb", tmp_path, 8, grey=True)
    assert dataset.labels == EMOTIONS
    assert dataset.test is not None
    numbers = [int(name.split("/")[1]) for name in dataset.test.names]
    assert [IN_EMOTIONS[number - 1] for number in numbers] == dataset.test.labels.tolist()
    # Number 6 is angry, the first of the emotions; its pictures are of the seeds 10 and 11.
    np.testing.assert_array_equal(dataset.train.images[:2, :, :, 0], [picture_of(10), picture_of(11)])


@pytest.mark.parametrize("under", ["", "basic"])
def test_reads_the_original_list(tmp_path: Path, under: str) -> None:
    lines = [f"train_{code:05d}.jpg {code}" for code in range(1, 8)]
    write_original(tmp_path / under, [*lines, "test_0001.jpg 5", "test_0002.jpg 4"])
    dataset = open_dataset("rafdb", tmp_path, 8, grey=False)
    assert dataset.train.labels.tolist() == IN_EMOTIONS
    assert dataset.train.images.shape == (7, 8, 8, 3)
    assert dataset.test is not None
    assert dataset.test.labels.tolist() == [5, 3]
    assert dataset.test.names == ("test_0001.jpg", "test_0002.jpg")


def test_a_listed_picture_that_is_missing_is_named(tmp_path: Path) -> None:
    write_original(tmp_path, [f"train_{code:05d}.jpg {code}" for code in range(1, 8)])
    (tmp_path / "Image" / "aligned" / "train_00003_aligned.jpg").unlink()
    with pytest.raises(DataError, match=r"Image/aligned/train_00003_aligned\.jpg is missing: list_patition"):
        open_dataset("rafdb", tmp_path, 8, grey=True)


@pytest.mark.parametrize("line", ["train_1.jpg 8", "train_1.jpg", "1.jpg 3", "train_/../../x.jpg 3", ""])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    write_original(tmp_path, ["train_00001.jpg 1"])
    with (tmp_path / "EmoLabel" / "list_patition_label.txt").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=r"list_patition_label\.txt, line 2: not like `train_00001\.jpg 5`"):
        open_dataset("rafdb", tmp_path, 8, grey=True)


def test_an_emotion_that_the_list_lacks_is_named(tmp_path: Path) -> None:
    write_original(tmp_path, [f"train_{code:05d}.jpg {code}" for code in range(1, 7)])
    with pytest.raises(DataError, match=f"{tmp_path} has no training picture of neutral"):
        open_dataset("rafdb", tmp_path, 8, grey=True)
