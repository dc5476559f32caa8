"""What a model is taught: labels and votes as shares of its outputs."""

import numpy as np
from numpy.typing import NDArray

from shared.errors import DataError
from training.datasets.votes import Votes
from training.recipe import Target


def soft_targets(
    labels: NDArray[np.int64], votes: Votes | None, target: Target, outputs: tuple[str, ...]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return targets float32 [N, C], rows summing to 1, and a mask [N] of the pictures that have one.

    `labels` int64 [N] are indices into `outputs`, the emotions in the model's order. "label" is one-hot;
    "votes" the outputs' share of their votes; "mixed" the mean of both. A picture without a vote for any of
    them (no face, say) has no target, save for "label". Raises DataError when votes are needed and there are
    none.
    """
    one_hot = np.eye(len(outputs), dtype=np.float32)[labels]
    if target == "label":
        return one_hot, np.ones(len(labels), dtype=np.bool_)
    if votes is None:
        raise DataError(f"target {target} needs the FER+ votes")
    shares = votes.shares(outputs)
    soft = shares if target == "votes" else np.asarray((one_hot + shares) / 2, np.float32)
    return soft, shares.sum(axis=1) > 0
