"""Splits that no picture and no person straddles."""

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupShuffleSplit

from shared.errors import DataError
from training.datasets.faces import Faces


def fingerprints(faces: Faces) -> list[bytes]:
    """Return a hash of each picture's pixels: equal for identical pictures only."""
    return [hashlib.sha256(image.tobytes()).digest() for image in faces.images]


def without_twins(train: Faces, test: Faces) -> NDArray[np.int64]:
    """Return the indices, ascending, of the training pictures that are in no test picture pixel for pixel.

    Nor, where they are known, are their subjects among those of the test pictures.
    """
    seen, people = set(fingerprints(test)), set(test.subjects or ())
    subjects = train.subjects or (None,) * len(train)
    prints = fingerprints(train)
    rows = [row for row in range(len(train)) if prints[row] not in seen and subjects[row] not in people]
    return np.array(rows, dtype=np.int64)


def split_validation(
    faces: Faces, fraction: float, seed: int, *, sparse: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut about `fraction` off for validation: ascending indices (train, validation).

    It is cut from each emotion, or from the subjects where they are known. Identical pictures stay together,
    and so do those of a subject. The cut depends on the pictures, their order and `seed` only. Raises
    DataError when an emotion has fewer than two different pictures, or all of them are of one subject. If the
    data set is `sparse`, such an emotion is only trained on, and it is an error when all are.
    """
    if faces.subjects is None:
        held = _hold_pictures(faces, fraction, seed, sparse)
    else:
        held = _hold_subjects(faces, faces.subjects, fraction, seed)
    train = np.setdiff1d(np.arange(len(faces)), held)
    needed = faces.labels.tolist() if sparse else range(len(faces.label_set))
    lost = set(needed) - set(faces.labels[train].tolist())
    if lost:
        raise DataError(f"{faces.label_set[min(lost)]} would be left without a training picture")
    return train, held


def keep_share(labels: NDArray[np.int64], limit: int, seed: int) -> NDArray[np.int64]:
    """Return at most `limit` indices, ascending: the same share of every class, but one picture at least.

    Raises DataError when `limit` is too small for that.
    """
    rng = np.random.default_rng(seed)
    kept: list[NDArray[np.int64]] = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        kept.append(rng.permutation(own)[: max(1, len(own) * limit // len(labels))])
    rows = np.sort(np.concatenate(kept))
    if len(rows) > limit:
        raise DataError(f"{limit} training pictures are too few to have some of every class")
    return rows


def _hold_pictures(faces: Faces, fraction: float, seed: int, sparse: bool) -> NDArray[np.int64]:
    groups: dict[bytes, list[int]] = {}
    for row, print_ in enumerate(fingerprints(faces)):
        groups.setdefault(print_, []).append(row)
    rng = np.random.default_rng(seed)
    held: list[int] = []
    for label, emotion in enumerate(faces.label_set):
        own = [rows for rows in groups.values() if faces.labels[rows[0]] == label]
        if len(own) < 2:
            if sparse:
                continue
            raise DataError(f"{emotion} has fewer than two different pictures")
        count = min(max(1, round(fraction * len(own))), len(own) - 1)
        for index in rng.permutation(len(own))[:count]:
            held += own[int(index)]
    if not held:
        raise DataError("no emotion has two different pictures: one to train on, one to validate on")
    return np.array(sorted(held), dtype=np.int64)


def _hold_subjects(faces: Faces, subjects: tuple[str, ...], fraction: float, seed: int) -> NDArray[np.int64]:
    groups = _joined(np.array(fingerprints(faces)), np.array(subjects))
    try:
        split = GroupShuffleSplit(n_splits=1, test_size=fraction, random_state=seed)
        _, held = next(split.split(groups, groups=groups))
    except ValueError as error:
        raise DataError(f"the subjects cannot be split: {error}") from error
    return np.sort(np.asarray(held, np.int64))


def _joined(*keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return a group's number for each row, int64 [N]; rows that share a key are in one group."""
    count = len(keys[0])
    sources, places = [np.arange(count)] * len(keys), []
    nodes = count
    for key in keys:
        values, inverse = np.unique(key, return_inverse=True)
        places.append(nodes + inverse)
        nodes += len(values)
    edges = (np.concatenate(sources), np.concatenate(places))
    graph = coo_array((np.ones(len(edges[0])), edges), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1][:count], np.int64)
