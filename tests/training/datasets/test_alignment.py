from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.faces.alignment import TEMPLATE, TEMPLATE_SIDE, Landmarks
from tests.training.datasets.tables import picture_of, write_folders
from training.datasets import open_dataset
from training.datasets.alignment import Alignment, find_poses, with_margin
from training.datasets.pictures import Picture

QUARTER_TURN = np.array([(0, -1), (1, 0)])
"""Clockwise on the screen, where y points down."""


class Turned:
    """Says that every face fills the middle two thirds of its crop, turned clockwise; none in black crops."""

    def __init__(self) -> None:
        self.seen = 0

    def find(self, crops: Sequence[NDArray[np.uint8]]) -> Landmarks:
        self.seen += len(crops)
        points = np.zeros((len(crops), 5, 2), np.float32)
        found = np.array([bool(crop.any()) for crop in crops])
        for row, crop in enumerate(crops):
            side = len(crop)
            upright = (TEMPLATE / TEMPLATE_SIDE - 0.5) * side * 2 / 3
            points[row] = side / 2 - 0.5 + upright @ QUARTER_TURN.T
        points[~found] = 0
        return Landmarks(points, found)


def halves() -> NDArray[np.uint8]:
    """A picture whose right half is white."""
    picture = np.zeros((48, 48), np.uint8)
    picture[:, 24:] = 255
    return picture


def poses_of(pictures: list[Picture], aligner: Turned, cache: Path | None = None) -> NDArray[np.float64]:
    names = [str(id(picture)) for picture in pictures]
    return find_poses(pictures, names, Alignment(aligner, 48, 1.0, cache), "key").matrices


def test_the_margin_draws_the_edges_out() -> None:
    wide = np.zeros((4, 8, 3), np.uint8)
    wide[:, 0], wide[0, 4] = 50, 70
    square = with_margin(wide)
    assert square.shape == (12, 12, 3)
    np.testing.assert_array_equal(square[4:8, 2:10], wide)
    assert (square[5:, :3] == 50).all()
    assert (square[:5, 6] == 70).all()


def test_faces_are_turned_upright(tmp_path: Path) -> None:
    write_folders(tmp_path, EMOTIONS, count=1)
    assert cv2.imwrite(str(tmp_path / "angry" / "0.png"), halves())
    assert cv2.imwrite(str(tmp_path / "sad" / "0.png"), np.zeros((48, 48), np.uint8))
    dataset = open_dataset("folder", tmp_path, 24, True, Alignment(Turned(), 48))
    assert dataset.train.images.shape == (7, 24, 24, 1)
    # The face's crown is on the right of the picture, where it is white.
    angry = dataset.train.images[0, :, :, 0]
    assert angry[:11].min() > 250
    assert angry[13:].max() < 5
    assert not dataset.train.images[EMOTIONS.index("sad")].any()


def test_faces_without_landmarks_stay_as_they_are(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Blind(Turned):
        def find(self, crops: Sequence[NDArray[np.uint8]]) -> Landmarks:
            return Landmarks(np.zeros((len(crops), 5, 2), np.float32), np.zeros(len(crops), np.bool_))

    write_folders(tmp_path, EMOTIONS)
    with caplog.at_level("INFO"):
        dataset = open_dataset("folder", tmp_path, 8, True, Alignment(Blind(), 48))
    np.testing.assert_array_equal(dataset.train.images[3, :, :, 0], picture_of(3))
    assert "no landmarks in 14 of 14 pictures" in caplog.text


def test_the_zoom_is_that_of_the_run_time(tmp_path: Path) -> None:
    write_folders(tmp_path, EMOTIONS, count=1)
    framed = np.full((48, 48), 255, np.uint8)
    framed[12:36, 12:36] = 0
    assert cv2.imwrite(str(tmp_path / "angry" / "0.png"), framed)
    bright = [
        open_dataset("folder", tmp_path, 48, True, Alignment(Turned(), 48, zoom)).train.images[0].mean()
        for zoom in (1.0, 2.5)
    ]
    assert bright[0] > 150
    assert bright[1] == 0


def test_landmarks_are_looked_for_once(tmp_path: Path) -> None:
    write_folders(tmp_path / "faces" / "train", EMOTIONS)
    write_folders(tmp_path / "faces" / "test", EMOTIONS, count=1)
    first, again = Turned(), Turned()
    cache = tmp_path / "cache"
    one = open_dataset("fer2013", tmp_path / "faces", 8, True, Alignment(first, 8, cache=cache))
    two = open_dataset("fer2013", tmp_path / "faces", 8, True, Alignment(again, 8, cache=cache))
    # The seven pictures of the test split are among the fourteen of the training split.
    assert (first.seen, again.seen) == (14, 0)
    assert one.test is not None
    assert two.test is not None
    np.testing.assert_array_equal(one.train.images, two.train.images)
    np.testing.assert_array_equal(one.test.images, two.test.images)
    assert [file.name for file in cache.iterdir()] == [f"poses-{one.fingerprint}.npy"]


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_damaged_cache_is_made_again(tmp_path: Path, content: bytes) -> None:
    pictures: list[Picture] = [halves()]
    whole = poses_of(pictures, Turned(), tmp_path)
    (tmp_path / "poses-key.npy").write_bytes(content)
    np.testing.assert_array_equal(poses_of(pictures, Turned(), tmp_path), whole)
    aligner = Turned()
    np.testing.assert_array_equal(poses_of(pictures, aligner, tmp_path), whole)
    assert aligner.seen == 0


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2, 3)), np.zeros((1, 2, 3), np.float32), np.array([{"code": "runs"}], object)]
)
def test_another_array_is_no_cache(tmp_path: Path, array: NDArray[np.generic]) -> None:
    np.save(tmp_path / "poses-key.npy", array, allow_pickle=True)
    aligner = Turned()
    assert poses_of([halves()], aligner, tmp_path).shape == (1, 2, 3)
    assert aligner.seen == 1


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/poses-key\.npy cannot be written"):
        poses_of([halves()], Turned(), tmp_path / "file")
