import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.emotions import EMOTIONS
from training.evaluation.intervals import resample, wilson
from training.metrics import Scores


def accuracy_of(scores: Scores) -> float:
    return scores.accuracy


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_of_a_published_table(hits: int, count: int, low: float, high: float) -> None:
    assert wilson(hits, count) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000), st.data())
def test_the_interval_is_wilsons_formula(count: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, count))
    share, z = hits / count, 1.959963984540054
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    assert wilson(hits, count) == pytest.approx((middle - half, middle + half), abs=1e-9)


def test_nothing_is_known_without_pictures() -> None:
    assert wilson(0, 0) == (0, 1)
    one = np.array([3])
    assert resample(one, one, EMOTIONS, accuracy_of) == (0, 1)


def test_the_bootstrap_of_a_share_is_its_normal_interval() -> None:
    # 600 of 800: the deviation of the share is sqrt(0.75 · 0.25 / 800) = 0.0153.
    truth = np.zeros(1000, np.int64)
    truth[800:] = -1
    predicted = np.where(np.arange(1000) < 600, 0, 1)
    low, high = resample(truth, predicted, EMOTIONS, accuracy_of)
    assert (low, high) == pytest.approx((0.75 - 1.96 * 0.0153, 0.75 + 1.96 * 0.0153), abs=0.004)
    assert resample(truth, predicted, EMOTIONS, accuracy_of) == (low, high)


def test_a_figure_without_spread_has_no_width() -> None:
    truth = np.arange(70) % 7
    assert resample(truth, truth, EMOTIONS, lambda scores: scores.macro_f1) == (1, 1)
