import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.emotions import EMOTIONS
from shared.errors import DataError
from tests.training.conftest import write_picture, write_votes
from training.datasets import Votes, read_faces, read_votes


def test_reads_every_picture_in_order(tree: Path) -> None:
    faces = read_faces(tree, "train")
    assert faces.images.shape == (42, 48, 48, 1)
    assert faces.images.dtype == np.uint8
    assert faces.labels.tolist() == [label for label in range(7) for _ in range(6)]
    assert faces.names[:2] == ("train/angry/0.png", "train/angry/1.png")
    expected = np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)
    np.testing.assert_array_equal(faces.images[1, :, :, 0], expected)


def test_reads_in_colour_and_at_another_size(tree: Path) -> None:
    write_picture(tree / "test" / "sad" / "large.png", 5, side=96)
    faces = read_faces(tree, "test", side=32, grey=False)
    assert faces.images.shape == (15, 32, 32, 3)


def test_colour_is_rgb(tree: Path) -> None:
    red_in_bgr = np.zeros((48, 48, 3), np.uint8)
    red_in_bgr[..., 2] = 255
    assert cv2.imwrite(str(tree / "test" / "angry" / "0.png"), red_in_bgr)
    assert read_faces(tree, "test", grey=False).images[0, 0, 0].tolist() == [255, 0, 0]


def test_hidden_files_are_no_pictures(tree: Path) -> None:
    (tree / "train" / "sad" / ".DS_Store").write_bytes(b"\0")
    assert len(read_faces(tree, "train")) == 42


def test_take_keeps_rows_together(tree: Path) -> None:
    faces = read_faces(tree, "train")
    two = faces.take([41, 3])
    assert two.names == (faces.names[41], faces.names[3])
    assert two.labels.tolist() == [6, 0]
    np.testing.assert_array_equal(two.images, faces.images[[41, 3]])


def test_wrong_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"^{tmp_path}/train is missing: .*train/<emotion>/"):
        read_faces(tmp_path, "train")


def test_missing_emotion_is_named(tree: Path) -> None:
    shutil.rmtree(tree / "train" / "fear")
    with pytest.raises(DataError, match="train/fear is missing"):
        read_faces(tree, "train")


def test_empty_emotion_is_named(tree: Path) -> None:
    for file in (tree / "train" / "fear").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="train/fear is empty"):
        read_faces(tree, "train")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_unreadable_picture_is_named(tree: Path, content: bytes) -> None:
    (tree / "train" / "happy" / "7.png").write_bytes(content)
    with pytest.raises(DataError, match=r"train/happy/7\.png cannot be decoded"):
        read_faces(tree, "train")


def test_folder_among_the_pictures_is_named(tree: Path) -> None:
    (tree / "train" / "happy" / "more").mkdir()
    with pytest.raises(DataError, match="train/happy/more cannot be decoded"):
        read_faces(tree, "train")


def test_votes_follow_the_order_of_the_names(tmp_path: Path) -> None:
    rows = {
        "train/sad/a.png": {"sadness": 6, "neutral": 3, "contempt": 1},
        "train/happy/a.png": {"happiness": 10},
    }
    votes = read_votes(write_votes(tmp_path / "votes.csv", rows), ["train/happy/a.png", "train/sad/a.png"])
    assert votes.seven.tolist() == [[0, 0, 0, 10, 0, 0, 0], [0, 0, 0, 0, 3, 6, 0]]
    assert votes.total.tolist() == [10, 10]


def test_majority_needs_more_than_half_of_all_votes() -> None:
    sad, neutral = EMOTIONS.index("sad"), EMOTIONS.index("neutral")
    seven = np.zeros((4, 7), np.int64)
    seven[0, sad], seven[1, sad], seven[2, neutral] = 5, 6, 4
    votes = Votes(seven, np.array([10, 10, 7, 10]))
    assert votes.majority().tolist() == [-1, sad, neutral, -1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,anger\n", "lacks the columns NF, contempt, disgust"),
        ("", "lacks the columns"),
    ],
)
def test_votes_without_their_columns(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "votes.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_votes(tmp_path / "votes.csv", [])


def test_votes_that_are_no_counts(tmp_path: Path) -> None:
    file = write_votes(tmp_path / "votes.csv", {"train/sad/a.png": {"sadness": 6}})
    file.write_text(file.read_text().replace("6", "six"))
    with pytest.raises(DataError, match=r"votes\.csv cannot be read as votes"):
        read_votes(file, [])


def test_votes_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"votes\.csv cannot be read as votes"):
        read_votes(tmp_path / "votes.csv", [])
    file = write_votes(tmp_path / "votes.csv", {"train/sad/a.png": {"sadness": 6}})
    with pytest.raises(DataError, match=r"has no votes for train/sad/b\.png"):
        read_votes(file, ["train/sad/a.png", "train/sad/b.png"])


@pytest.mark.shared
def test_fer_plus_has_a_majority_for_2854_public_test_pictures(shared_data: Path) -> None:
    file = shared_data / "ferplus_votes.csv"
    names = [line.split(",")[0] for line in file.read_text().splitlines() if line.startswith("test/")]
    assert len(names) == 3589
    assert (read_votes(file, names).majority() >= 0).sum() == 2854
