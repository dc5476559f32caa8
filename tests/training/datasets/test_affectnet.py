from pathlib import Path

import pytest

from shared.emotions import EMOTIONS
from shared.errors import DataError
from tests.training.datasets.tables import write_folders
from training.datasets import open_dataset
from training.datasets.labels import EIGHT

NAMES = ("Anger", "Contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise")
# AffectNet's 0 to 7: neutral, happy, sad, surprise, fear, disgust, angry, contempt.
NUMBER_OF = {
    "angry": 6,
    "disgust": 5,
    "fear": 4,
    "happy": 1,
    "neutral": 0,
    "sad": 2,
    "surprise": 3,
    "contempt": 7,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folders(tmp_path / "archive (3)" / "Train", map(str.lower, NAMES))
    write_folders(tmp_path / "archive (3)" / "Test", NAMES, count=1)
    return tmp_path


def test_eight_emotions(folder: Path) -> None:
    dataset = open_dataset("affectnet8", folder, 8, grey=False)
    assert dataset.labels == EIGHT
    assert dataset.train.labels.tolist() == [label for label in range(8) for _ in range(2)]
    assert dataset.test is not None
    assert dataset.test.names[7] == "test/Contempt/0.png"


def test_seven_emotions_pass_contempt_over(folder: Path) -> None:
    dataset = open_dataset("affectnet7", folder, 8, grey=False)
    assert dataset.labels == EMOTIONS
    assert (len(dataset.train), len(dataset.test or ())) == (14, 7)


def test_the_numbers_are_affectnets(tmp_path: Path) -> None:
    write_folders(tmp_path / "train", map(str, range(8)), count=1)
    faces = open_dataset("affectnet8", tmp_path, 8, grey=True).train
    numbers = [int(name.split("/")[1]) for name in faces.names]
    assert numbers == [NUMBER_OF[EIGHT[label]] for label in faces.labels]


def test_eight_emotions_need_contempt(tmp_path: Path) -> None:
    write_folders(tmp_path / "train", EMOTIONS)
    with pytest.raises(DataError, match="train/contempt is missing"):
        open_dataset("affectnet8", tmp_path, 8, grey=True)
