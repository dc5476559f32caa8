"""Figures of a classifier, from true and predicted labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS


@dataclass(frozen=True)
class Scores:
    """`confusion` int64 [C, C], rows the truth, columns the prediction, in the order of `labels`.

    `missed` int64 [C] counts the pictures that got no prediction (no face was found): they count as wrong.
    """

    confusion: NDArray[np.int64]
    labels: tuple[str, ...]
    missed: NDArray[np.int64]

    @property
    def support(self) -> NDArray[np.int64]:
        """Number of each label's pictures, int64 [C]."""
        return np.asarray(self.confusion.sum(axis=1) + self.missed, np.int64)

    @property
    def count(self) -> int:
        """Number of pictures."""
        return int(self.support.sum())

    @property
    def accuracy(self) -> float:
        """Share of right predictions, 0..1; 0 without pictures."""
        return float(self.confusion.trace() / max(self.count, 1))

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of each label's pictures that were recognised, float64 [C]; 0 where there are none."""
        return _share(self.confusion.diagonal(), self.support)

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of each label's predictions that were right, float64 [C]; 0 where there are none."""
        return _share(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def f1(self) -> NDArray[np.float64]:
        """Harmonic mean of precision and recall, float64 [C]."""
        return _share(2 * self.confusion.diagonal(), self.confusion.sum(axis=0) + self.support)

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the labels that occur, in truth or prediction; 0 without pictures."""
        return _mean(self.f1, self.confusion.sum(axis=0) + self.support)

    @property
    def mean_class_accuracy(self) -> float:
        """Mean recall of the labels that occur in the truth (balanced accuracy); 0 without pictures."""
        return _mean(self.recall, self.support)

    def answered(self) -> "Scores":
        """Return the scores of the pictures that got a prediction alone."""
        return Scores(self.confusion, self.labels, np.zeros_like(self.missed))


def score(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], labels: tuple[str, ...] = EMOTIONS
) -> Scores:
    """Count the pairs of `truth` and `predicted`, both int64 [N], indices into `labels`.

    A picture whose truth is -1 doesn't count, one whose prediction is -1 got none.
    """
    size = len(labels)
    counts = np.zeros((size, size + 1), dtype=np.int64)
    known = truth >= 0
    # The index -1 is the last column, which stands for "no prediction".
    np.add.at(counts, (truth[known], predicted[known]), 1)
    return Scores(counts[:, :size], labels, counts[:, size])


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(part / np.maximum(whole, 1), dtype=np.float64)


def _mean(values: NDArray[np.float64], occurrences: NDArray[np.int64]) -> float:
    present = occurrences > 0
    return float(values[present].mean()) if present.any() else 0.0
