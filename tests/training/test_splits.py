from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import DataError
from tests.training.conftest import write_tree
from training.datasets import Faces, read_split
from training.datasets.labels import EIGHT
from training.splits import keep_share, split_validation, without_twins


def faces_of(shades: list[int], labels: list[int], subjects: list[str] | None = None) -> Faces:
    images = np.array(shades, np.uint8)[:, None, None, None].repeat(2, 1).repeat(2, 2)
    names = tuple(f"train/{index}" for index in range(len(shades)))
    people = None if subjects is None else tuple(subjects)
    return Faces(images, np.array(labels, np.int64), names, subjects=people)


def test_twins_of_test_pictures_are_left_out() -> None:
    train, test = faces_of([1, 2, 3, 2], [0, 0, 0, 1]), faces_of([2, 9], [3, 3])
    assert without_twins(train, test).tolist() == [0, 2]


def test_subjects_of_test_pictures_are_left_out() -> None:
    train = faces_of([1, 2, 3, 4], [0, 0, 0, 1], ["S1", "S2", "S3", "S2"])
    assert without_twins(train, faces_of([3, 9], [3, 3], ["S4", "S2"])).tolist() == [0]


@settings(max_examples=60)
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


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(28, 60), st.integers(0, 6), st.integers(4, 9)), max_size=40),
    st.floats(0.05, 0.3),
    st.integers(0, 2**32 - 1),
)
def test_no_subject_straddles_the_split(rows: list[tuple[int, int, int]], fraction: float, seed: int) -> None:
    # The first four subjects show every emotion and have no twins: one of them is always left to train on.
    rows = [*((index, index % 7, index // 7) for index in range(28)), *rows]
    shades, labels, people = (list(column) for column in zip(*rows, strict=True))
    faces = faces_of(shades, labels, [f"S{person}" for person in people])
    train, held = split_validation(faces, fraction, seed)
    assert sorted([*train, *held]) == list(range(len(rows)))
    assert len(held) > 0
    assert not {people[row] for row in train} & {people[row] for row in held}
    assert not {shades[row] for row in train} & {shades[row] for row in held}
    assert set(faces.labels[train]) == set(range(7))


def test_a_share_of_the_subjects_is_held_out() -> None:
    people = [f"S{index // 7}" for index in range(70)]
    faces = faces_of(list(range(70)), [index % 7 for index in range(70)], people)
    train, held = split_validation(faces, 0.2, seed=1)
    assert len({people[row] for row in held}) == 2
    assert np.bincount(faces.labels[held]).tolist() == [2] * 7
    assert len(train) == 56


def test_one_subject_cannot_be_split() -> None:
    faces = faces_of(list(range(14)), [index // 2 for index in range(14)], ["S1"] * 14)
    with pytest.raises(DataError, match="the subjects cannot be split"):
        split_validation(faces, 0.2, 0)


def test_an_emotion_of_one_subject_cannot_be_split() -> None:
    # Either subject's emotions are missing from what is left.
    faces = faces_of(list(range(14)), [index // 2 for index in range(14)], ["S1"] * 6 + ["S2"] * 8)
    with pytest.raises(DataError, match="would be left without a training picture"):
        split_validation(faces, 0.5, 0)


def test_split_takes_a_share_of_each_emotion(tmp_path: Path) -> None:
    faces = read_split("fer2013", write_tree(tmp_path, train=20, test=1), "train", 8, grey=True)
    train, held = split_validation(faces, 0.1, seed=3)
    assert np.bincount(faces.labels[held]).tolist() == [2] * 7
    assert np.bincount(faces.labels[train]).tolist() == [18] * 7


def test_split_depends_on_the_seed_alone(tree: Path) -> None:
    faces = read_split("fer2013", tree, "train", 8, grey=True)
    first, again, other = (split_validation(faces, 0.3, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_an_emotion_of_one_picture_cannot_be_split() -> None:
    faces = faces_of([0, 0, *range(1, 13)], [0, 0, *(1 + index // 2 for index in range(12))])
    with pytest.raises(DataError, match="angry has fewer than two different pictures"):
        split_validation(faces, 0.5, 0)


def test_every_emotion_of_the_label_set_is_split() -> None:
    seven = faces_of(list(range(14)), [index // 2 for index in range(14)])
    eight = Faces(seven.images, seven.labels, seven.names, EIGHT)
    with pytest.raises(DataError, match="contempt has fewer than two different pictures"):
        split_validation(eight, 0.5, 0)


def test_the_same_share_of_every_class_is_kept() -> None:
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    rows = keep_share(labels, 20, seed=0)
    assert np.bincount(labels[rows]).tolist() == [12, 6, 2]
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert rows.tolist() == keep_share(labels, 20, seed=0).tolist() != keep_share(labels, 20, seed=1).tolist()


def test_one_picture_of_each_class_is_kept() -> None:
    labels = np.repeat([0, 1], [99, 1])
    assert np.bincount(labels[keep_share(labels, 10, seed=0)]).tolist() == [9, 1]
    with pytest.raises(DataError, match="1 training pictures are too few"):
        keep_share(labels, 1, seed=0)
