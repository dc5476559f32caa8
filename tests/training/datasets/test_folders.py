import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.emotions import EMOTIONS
from shared.errors import DataError
from tests.training.conftest import write_picture
from tests.training.datasets.tables import picture_of, write_folders
from training.datasets import open_dataset, read_split
from training.datasets.labels import EIGHT, SYNONYMS

OTHER_NAMES = ("Anger", "DISGUST", "afraid", "Happiness", "neutral", "sadness", "Surprised")


def test_reads_every_picture_in_order(tree: Path) -> None:
    faces = read_split("fer2013", tree, "train", 48, grey=True)
    assert faces.images.shape == (42, 48, 48, 1)
    assert faces.images.dtype == np.uint8
    assert faces.labels.tolist() == [label for label in range(7) for _ in range(6)]
    assert faces.names[:2] == ("train/angry/0.png", "train/angry/1.png")
    np.testing.assert_array_equal(faces.images[1, :, :, 0], picture_of(1, 48))


def test_reads_in_colour_and_at_another_size(tree: Path) -> None:
    write_picture(tree / "test" / "sad" / "large.png", 5, side=96)
    assert read_split("fer2013", tree, "test", 32, grey=False).images.shape == (15, 32, 32, 3)


def test_colour_is_rgb(tree: Path) -> None:
    red_in_bgr = np.zeros((48, 48, 3), np.uint8)
    red_in_bgr[..., 2] = 255
    assert cv2.imwrite(str(tree / "test" / "angry" / "0.png"), red_in_bgr)
    faces = read_split("fer2013", tree, "test", 48, grey=False)
    assert faces.images[0, 0, 0].tolist() == [255, 0, 0]


def test_hidden_files_are_no_pictures(tree: Path) -> None:
    (tree / "train" / "sad" / ".DS_Store").write_bytes(b"\0")
    (tree / "train" / ".cache").mkdir()
    assert len(read_split("fer2013", tree, "train", 48, grey=True)) == 42


@pytest.mark.parametrize("under", ["", "archive (3)", "DATASET"])
def test_splits_are_found_one_folder_deeper_and_in_any_case(tmp_path: Path, under: str) -> None:
    write_folders(tmp_path / under / "Train", OTHER_NAMES)
    write_folders(tmp_path / under / "TEST", OTHER_NAMES, count=1)
    dataset = open_dataset("folder", tmp_path, 8, grey=True)
    assert dataset.labels == EMOTIONS
    assert dataset.train.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert dataset.test is not None
    assert dataset.test.names[2:4] == ("test/afraid/0.png", "test/Happiness/0.png")


def test_own_pictures_need_no_splits(tmp_path: Path) -> None:
    write_folders(tmp_path, (*OTHER_NAMES, "contempt"))
    dataset = open_dataset("folder", tmp_path, 8, grey=True)
    assert dataset.test is None
    assert dataset.labels == dataset.train.label_set == EIGHT
    assert dataset.train.labels[-2:].tolist() == [7, 7]
    np.testing.assert_array_equal(dataset.train.images[-1, :, :, 0], picture_of(15))


def test_a_missing_test_split_is_named_when_it_is_wanted(tmp_path: Path) -> None:
    write_folders(tmp_path, EMOTIONS)
    with pytest.raises(DataError, match=f"^{tmp_path} has no test split$"):
        read_split("folder", tmp_path, "test", 8, grey=True)


def test_a_validation_folder_is_the_test_split_where_there_is_no_other(tmp_path: Path) -> None:
    write_folders(tmp_path / "train", EMOTIONS)
    write_folders(tmp_path / "val", EMOTIONS, count=1)
    assert len(read_split("affectnet7", tmp_path, "test", 8, grey=True)) == 7
    write_folders(tmp_path / "test", EMOTIONS, count=3)
    assert len(read_split("affectnet7", tmp_path, "test", 8, grey=True)) == 21


def test_wrong_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"^{tmp_path}/train is missing: .*train/<emotion>/"):
        read_split("fer2013", tmp_path, "train", 48, grey=True)
    with pytest.raises(DataError, match=f"^{tmp_path}/none is missing$"):
        read_split("folder", tmp_path / "none", "train", 48, grey=True)


def test_missing_emotion_is_named(tree: Path) -> None:
    shutil.rmtree(tree / "train" / "fear")
    with pytest.raises(DataError, match=r"train/fear is missing: one folder"):
        open_dataset("fer2013", tree, 48, grey=True)
    with pytest.raises(DataError, match=r"train has nothing for fear"):
        open_dataset("folder", tree, 48, grey=True)


@pytest.mark.parametrize("split", ["train", "test"])
def test_empty_emotion_is_named(tree: Path, split: str) -> None:
    for file in (tree / split / "fear").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=f"{split}/fear is empty"):
        open_dataset("fer2013", tree, 48, grey=True)


def test_a_folder_that_is_no_emotion_is_named(tree: Path) -> None:
    write_folders(tree / "train", ["bored"])
    with pytest.raises(DataError, match="train/bored is no emotion"):
        open_dataset("folder", tree, 48, grey=True)


def test_an_emotion_that_the_set_lacks_is_named(tree: Path) -> None:
    write_folders(tree / "train", ["contempt"])
    with pytest.raises(DataError, match="train/contempt is none of angry, "):
        open_dataset("fer2013", tree, 48, grey=True)


def test_two_folders_of_one_emotion_are_named(tree: Path) -> None:
    write_folders(tree / "test", ["anger"])
    with pytest.raises(DataError, match="test/angry and anger are both for angry"):
        open_dataset("fer2013", tree, 48, grey=True)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_unreadable_picture_is_named(tree: Path, content: bytes) -> None:
    (tree / "train" / "happy" / "7.png").write_bytes(content)
    with pytest.raises(DataError, match=r"train/happy/7\.png cannot be decoded"):
        open_dataset("fer2013", tree, 48, grey=True)


def test_folder_among_the_pictures_is_named(tree: Path) -> None:
    (tree / "train" / "happy" / "more").mkdir()
    with pytest.raises(DataError, match="train/happy/more cannot be read"):
        open_dataset("fer2013", tree, 48, grey=True)


def test_every_synonym_is_of_the_eight() -> None:
    assert set(SYNONYMS.values()) == {*EMOTIONS, "contempt"}
    assert all(name == name.lower() for name in SYNONYMS)
