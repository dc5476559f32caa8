"""The figures of one model against one truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.calibration import Calibration, calibrate
from training.evaluation.intervals import Interval, resample, wilson
from training.metrics import Scores, score


@dataclass(frozen=True)
class Measurement:
    """Scores and calibration, with the 95 % intervals of the three figures that sum the scores up."""

    scores: Scores
    calibration: Calibration
    accuracy: Interval
    macro_f1: Interval
    mean_class_accuracy: Interval


def measure(
    truth: NDArray[np.int64], probabilities: NDArray[np.float32], labels: tuple[str, ...]
) -> Measurement:
    """Measure predictions, float [N, C] in the order of `labels`, against `truth`, int64 [N].

    A picture whose truth is -1 doesn't count; a row of NaN is no prediction, and counts as wrong.
    """
    predicted = np.where(np.isnan(probabilities).any(axis=1), -1, probabilities.argmax(axis=1))
    scores = score(truth, predicted, labels)
    return Measurement(
        scores,
        calibrate(truth, probabilities),
        wilson(int(scores.confusion.trace()), scores.count),
        resample(truth, predicted, labels, lambda drawn: drawn.macro_f1),
        resample(truth, predicted, labels, lambda drawn: drawn.mean_class_accuracy),
    )
