"""How far a model's confidence can be believed.

Source: Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), section 2: reliability diagram and
expected calibration error. The confidence of a prediction is its probability.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BINS: Final = 15
"""Bins of equal width from 0 to 1, as in the paper."""


@dataclass(frozen=True)
class Calibration:
    """The predictions by confidence, in B bins of equal width; bin b holds (b/B, (b+1)/B]."""

    count: NDArray[np.int64]
    """Predictions of each bin, [B]."""
    confidence: NDArray[np.float64]
    """Their mean confidence, [B], 0..1; 0 where there are none."""
    accuracy: NDArray[np.float64]
    """Share of them that is right, [B], 0..1; 0 where there are none."""

    @property
    def ece(self) -> float:
        """Expected calibration error, 0..1: the mean distance of accuracy and confidence over predictions."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float((self.count * gaps).sum() / max(self.count.sum(), 1))


def calibrate(truth: NDArray[np.int64], probabilities: NDArray[np.float32], bins: int = BINS) -> Calibration:
    """Compare the confidence of predictions with how often they are right.

    `truth` int64 [N], `probabilities` float [N, C], each row summing to 1. Pictures whose truth is -1 and
    rows of NaN (no prediction) don't count.
    """
    known = (truth >= 0) & np.isfinite(probabilities).all(axis=1)
    shown = probabilities[known].astype(np.float64)
    confidence = shown.max(axis=1, initial=0)
    right = shown.argmax(axis=1) == truth[known]
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    whole = np.maximum(count, 1)
    return Calibration(
        count,
        np.bincount(bin_of, weights=confidence, minlength=bins) / whole,
        np.bincount(bin_of, weights=right, minlength=bins) / whole,
    )
