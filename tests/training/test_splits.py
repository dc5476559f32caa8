from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import DataError
from tests.training.conftest import write_tree
from training.datasets import Faces, Votes, read_faces
from training.splits import soft_targets, split_validation, without_twins


def faces_of(shades: list[int], labels: list[int]) -> Faces:
    images = np.array(shades, np.uint8)[:, None, None, None].repeat(2, 1).repeat(2, 2)
    return Faces(images, np.array(labels, np.int64), tuple(f"train/{index}" for index in range(len(shades))))


def test_twins_of_test_pictures_are_left_out() -> None:
    train, test = faces_of([1, 2, 3, 2], [0, 0, 0, 1]), faces_of([2, 9], [3, 3])
    assert without_twins(train, test).tolist() == [0, 2]


@given(
    st.lists(st.tuples(st.integers(14, 255), st.integers(0, 6)), max_size=60),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32 - 1),
)
def test_no_picture_straddles_the_split(rows: list[tuple[int, int]], fraction: float, seed: int) -> None:
    # The first two pictures of each emotion have no twin, so that every emotion can be split.
    shades = [*range(14), *(shade for shade, _ in rows)]
    faces = faces_of(shades, [*(index // 2 for index in range(14)), *(label for _, label in rows)])
    train, held = split_validation(faces, fraction, seed)
    assert not {shades[row] for row in train} & {shades[row] for row in held}
    assert sorted([*train, *held]) == list(range(len(faces)))
    assert set(faces.labels[train]) == set(range(7))


def test_split_takes_a_share_of_each_emotion(tmp_path: Path) -> None:
    faces = read_faces(write_tree(tmp_path, train=20, test=1), "train")
    train, held = split_validation(faces, 0.1, seed=3)
    assert np.bincount(faces.labels[held]).tolist() == [2] * 7
    assert np.bincount(faces.labels[train]).tolist() == [18] * 7


def test_split_depends_on_the_seed_alone(tree: Path) -> None:
    faces = read_faces(tree, "train")
    first, again, other = (split_validation(faces, 0.3, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_an_emotion_of_one_picture_cannot_be_split() -> None:
    faces = faces_of([0, 0, *range(1, 13)], [0, 0, *(1 + index // 2 for index in range(12))])
    with pytest.raises(DataError, match="angry has fewer than two different pictures"):
        split_validation(faces, 0.5, 0)


LABELS = np.array([3, 5], np.int64)
VOTES = Votes(np.array([[0, 0, 0, 6, 2, 0, 0], [0, 0, 0, 0, 0, 0, 0]], np.int64), np.array([10, 10]))


def test_label_targets_are_one_hot() -> None:
    targets, known = soft_targets(LABELS, None, "label")
    assert targets.tolist() == np.eye(7)[[3, 5]].tolist()
    assert known.all()


def test_vote_targets_share_the_votes_of_the_seven() -> None:
    targets, known = soft_targets(LABELS, VOTES, "votes")
    assert targets[0].tolist() == [0, 0, 0, 0.75, 0.25, 0, 0]
    assert known.tolist() == [True, False]


def test_mixed_targets_are_the_mean_of_both() -> None:
    targets, known = soft_targets(LABELS, VOTES, "mixed")
    assert targets[0].tolist() == [0, 0, 0, 0.875, 0.125, 0, 0]
    assert targets.dtype == np.float32
    assert known.tolist() == [True, False]


def test_vote_targets_need_votes() -> None:
    with pytest.raises(DataError, match="target mixed needs the FER"):
        soft_targets(LABELS, None, "mixed")
