from pathlib import Path

import pytest

from shared import corrections
from shared.corrections import LABELS_FILE, NO_FACE, PICTURES
from shared.emotions import EMOTIONS
from shared.errors import DataError
from tests.training.conftest import write_corrections
from training.datasets import labels_of, open_dataset, read_split


def test_they_are_a_data_set_of_the_seven_emotions_of_which_some_may_be_missing(tmp_path: Path) -> None:
    data = write_corrections(tmp_path, ["sad", "happy", "sad"])
    assert labels_of("corrections", data) == EMOTIONS
    dataset = open_dataset("corrections", data, 48, grey=True)
    assert dataset.test is None
    assert dataset.train.images.shape == (3, 48, 48, 1)
    assert [EMOTIONS[label] for label in dataset.train.labels] == ["sad", "happy", "sad"]
    with pytest.raises(DataError, match="has no test split"):
        read_split("corrections", data, "test", 48, grey=True)


def test_what_is_no_face_is_left_out(tmp_path: Path) -> None:
    data = write_corrections(tmp_path, ["sad", NO_FACE, "happy"])
    dataset = open_dataset("corrections", data, 48, grey=True)
    assert [EMOTIONS[label] for label in dataset.train.labels] == ["sad", "happy"]
    with pytest.raises(DataError, match="no corrections yet"):
        open_dataset("corrections", write_corrections(tmp_path / "none", [NO_FACE]), 48, grey=True)


def test_another_look_makes_another_fingerprint(tmp_path: Path) -> None:
    data = write_corrections(tmp_path, ["sad", "happy"])
    before = open_dataset("corrections", data, 48, grey=True).fingerprint
    corrections.withdraw(data, [corrections.read(data)[0].picture])
    assert open_dataset("corrections", data, 48, grey=True).fingerprint != before


def test_without_any_the_reason_says_where_they_are_made(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataError, match="no corrections yet: make some on the Review page"):
            open_dataset("corrections", folder, 48, grey=True)


def test_a_lost_picture_is_named(tmp_path: Path) -> None:
    data = write_corrections(tmp_path, ["sad"])
    lost = data / PICTURES / corrections.read(data)[0].picture
    lost.unlink()
    with pytest.raises(DataError, match=f"{lost.name} is missing: {LABELS_FILE} names it"):
        open_dataset("corrections", data, 48, grey=True)
