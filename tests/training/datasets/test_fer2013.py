import tarfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from shared.errors import DataError
from tests.training.datasets.tables import pixels_of, write_table
from training.datasets import open_dataset, read_votes
from training.datasets.fer2013 import list_fer2013

# FER2013 counts neutral last: 4 is sad, 5 surprise, 6 neutral.
ROWS = [(code, pixels_of(code), "Training") for code in range(7)]
HELD_OUT = [
    (6, pixels_of(7), "PublicTest"),
    (1, pixels_of(8), "PrivateTest"),
    (4, pixels_of(9), "PublicTest"),
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path / "fer2013.csv", [*ROWS, *HELD_OUT])


@pytest.mark.parametrize("inside", [True, False])
def test_reads_the_original_table(table: Path, inside: bool) -> None:
    dataset = open_dataset("fer2013", table.parent if inside else table, 4, grey=True)
    assert dataset.train.labels.tolist() == [0, 1, 2, 3, 5, 6, 4]
    np.testing.assert_array_equal(dataset.train.images[5].ravel(), pixels_of(5))
    assert dataset.test is not None
    assert dataset.test.labels.tolist() == [4, 5]
    assert dataset.test.names == ("PublicTest/fer0000007.png", "PublicTest/fer0000009.png")


def test_a_table_without_the_public_test_has_no_test_split(tmp_path: Path) -> None:
    assert open_dataset("fer2013", write_table(tmp_path / "fer2013.csv", ROWS), 4, grey=True).test is None


def test_a_label_that_fer2013_lacks_is_named(tmp_path: Path) -> None:
    file = write_table(tmp_path / "fer2013.csv", [(7, pixels_of(0), "Training")])
    with pytest.raises(DataError, match=r"fer2013\.csv, picture 0: contempt is no label"):
        open_dataset("fer2013", file, 4, grey=True)


def test_a_label_without_pictures_is_named(tmp_path: Path) -> None:
    file = write_table(tmp_path / "fer2013.csv", [*ROWS[:2], *ROWS[3:], (2, pixels_of(0), "PublicTest")])
    with pytest.raises(DataError, match=r"fer2013\.csv has no training picture of fear"):
        open_dataset("fer2013", file, 4, grey=True)


def test_grey_pixels_are_the_same_in_all_colours(table: Path) -> None:
    grey, colour = (open_dataset("fer2013", table, 4, grey=grey).train.images for grey in (True, False))
    assert colour.shape == (7, 4, 4, 3)
    np.testing.assert_array_equal(colour, grey.repeat(3, axis=3))


@pytest.mark.shared
def test_fer2013_holds_28709_and_3589_pictures_with_votes_each(shared_data: Path, tmp_path: Path) -> None:
    with tarfile.open(shared_data / "fer2013.tar") as archive:
        names = [PurePosixPath(member.name) for member in archive if member.isfile()]
    for folder in {name.parent for name in names}:
        (tmp_path / folder).mkdir(parents=True)
    for name in names:
        (tmp_path / name).touch()
    train, test = list_fer2013(tmp_path)
    assert test is not None
    assert (len(train), len(test)) == (28_709, 3_589)
    votes = read_votes(shared_data / "ferplus_votes.csv", (*train.names, *test.names))
    assert len(votes.total) == 32_298
