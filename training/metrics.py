"""Figures of a classifier, from true and predicted labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS


@dataclass(frozen=True)
class Scores:
    """`confusion` int64 [7, 7], rows the truth, columns the prediction, in the order of `EMOTIONS`."""

    confusion: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of pictures."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of right predictions, 0..1; 0 without pictures."""
        return float(self.confusion.trace() / max(self.count, 1))

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of each emotion's pictures that were recognised, float64 [7]; 0 where there are none."""
        return _share(self.confusion.diagonal(), self.confusion.sum(axis=1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of each emotion's predictions that were right, float64 [7]; 0 where there are none."""
        return _share(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def f1(self) -> NDArray[np.float64]:
        """Harmonic mean of precision and recall, float64 [7]."""
        sums = self.confusion.sum(axis=0) + self.confusion.sum(axis=1)
        return _share(2 * self.confusion.diagonal(), sums)

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the emotions that occur, in truth or prediction; 0 without pictures."""
        return _mean(self.f1, self.confusion.sum(axis=0) + self.confusion.sum(axis=1))

    @property
    def mean_class_accuracy(self) -> float:
        """Mean recall of the emotions that occur in the truth (balanced accuracy); 0 without pictures."""
        return _mean(self.recall, self.confusion.sum(axis=1))


def score(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> Scores:
    """Count the pairs of `truth` and `predicted`, both int64 [N]; pictures whose truth is -1 don't count."""
    confusion = np.zeros((len(EMOTIONS), len(EMOTIONS)), dtype=np.int64)
    known = truth >= 0
    np.add.at(confusion, (truth[known], predicted[known]), 1)
    return Scores(confusion)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(part / np.maximum(whole, 1), dtype=np.float64)


def _mean(values: NDArray[np.float64], occurrences: NDArray[np.int64]) -> float:
    present = occurrences > 0
    return float(values[present].mean()) if present.any() else 0.0
