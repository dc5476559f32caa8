"""Splits that no picture straddles, and the targets a model is taught."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.errors import DataError
from training.datasets import Faces, Votes
from training.recipe import Target


def fingerprints(faces: Faces) -> list[bytes]:
    """Return a hash of each picture's pixels: equal for identical pictures only."""
    return [hashlib.sha256(image.tobytes()).digest() for image in faces.images]


def without_twins(train: Faces, test: Faces) -> NDArray[np.int64]:
    """Return the indices, ascending, of the training pictures that are in no test picture pixel for pixel."""
    seen = set(fingerprints(test))
    rows = [row for row, print_ in enumerate(fingerprints(train)) if print_ not in seen]
    return np.array(rows, dtype=np.int64)


def split_validation(faces: Faces, fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut about `fraction` of each emotion off for validation: ascending indices (train, validation).

    Identical pictures stay together. The cut depends on the pictures, their order and `seed` only. Raises
    DataError when an emotion has fewer than two different pictures.
    """
    groups: dict[bytes, list[int]] = {}
    for row, print_ in enumerate(fingerprints(faces)):
        groups.setdefault(print_, []).append(row)
    rng = np.random.default_rng(seed)
    held: list[int] = []
    for label, emotion in enumerate(EMOTIONS):
        own = [rows for rows in groups.values() if faces.labels[rows[0]] == label]
        if len(own) < 2:
            raise DataError(f"{emotion} has fewer than two different pictures")
        count = min(max(1, round(fraction * len(own))), len(own) - 1)
        for index in rng.permutation(len(own))[:count]:
            held += own[int(index)]
    validation = np.array(sorted(held), dtype=np.int64)
    return np.setdiff1d(np.arange(len(faces)), validation), validation


def soft_targets(
    labels: NDArray[np.int64], votes: Votes | None, target: Target
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return targets float32 [N, 7], rows summing to 1, and a mask [N] of the pictures that have one.

    "label" is one-hot; "votes" the seven emotions' share of their votes; "mixed" the mean of both. A picture
    without a vote for any of the seven (no face, say) has no target, save for "label". Raises DataError when
    votes are needed and there are none.
    """
    one_hot = np.eye(len(EMOTIONS), dtype=np.float32)[labels]
    if target == "label":
        return one_hot, np.ones(len(labels), dtype=np.bool_)
    if votes is None:
        raise DataError(f"target {target} needs the FER+ votes")
    known = votes.seven.sum(axis=1) > 0
    shares = (votes.seven / np.maximum(votes.seven.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    return (shares if target == "votes" else (one_hot + shares) / 2), known
