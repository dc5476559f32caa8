import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from training.evaluation.calibration import calibrate


def test_error_of_a_hand_computed_case() -> None:
    # Confidences 0.9, 0.8 and 0.6, 0.4 in two bins; right are the first and the third, and not the fourth.
    probabilities = np.array([[0.9, 0.1, 0], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.4, 0.3, 0.3]], np.float32)
    calibration = calibrate(np.array([0, 0, 2, 1]), probabilities, bins=2)
    assert calibration.count.tolist() == [1, 3]
    assert calibration.confidence.tolist() == pytest.approx([0.4, (0.9 + 0.8 + 0.6) / 3])
    assert calibration.accuracy.tolist() == pytest.approx([0, 2 / 3])
    assert calibration.ece == pytest.approx(1 / 4 * 0.4 + 3 / 4 * (2.3 / 3 - 2 / 3))


def test_the_upper_end_of_a_bin_belongs_to_it() -> None:
    probabilities = np.array([[0.5, 0.5], [1, 0], [0.75, 0.25]], np.float32)
    assert calibrate(np.zeros(3, np.int64), probabilities, bins=4).count.tolist() == [0, 1, 1, 1]


def test_what_has_no_truth_or_no_prediction_does_not_count() -> None:
    probabilities = np.array([[1, 0], [np.nan, np.nan], [0, 1]], np.float32)
    calibration = calibrate(np.array([-1, 0, 1]), probabilities)
    assert calibration.count.sum() == 1
    assert calibration.ece == 0
    nothing = calibrate(np.array([-1, -1, -1]), probabilities)
    assert (nothing.count.sum(), nothing.ece) == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0.501, 0.999)), min_size=1, max_size=60))
def test_bins_are_those_of_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    truth = np.array([pair[0] for pair in pairs])
    confidence = np.array([pair[1] for pair in pairs], np.float32)
    calibration = calibrate(truth, np.stack([confidence, 1 - confidence], axis=1), bins=10)
    accuracy, mean = calibration_curve(truth == 0, confidence.astype(np.float64), n_bins=10)
    filled = calibration.count > 0
    assert calibration.accuracy[filled].tolist() == pytest.approx(accuracy.tolist())
    assert calibration.confidence[filled].tolist() == pytest.approx(mean.tolist())
    assert calibration.count.sum() == len(pairs)
