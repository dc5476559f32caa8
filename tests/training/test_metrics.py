from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    precision_recall_fscore_support,
)

from shared.emotions import EMOTIONS
from training.metrics import score

ANGRY, HAPPY, SAD = 0, 3, 5
EIGHT = (*EMOTIONS, "contempt")


def labels(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def test_figures_of_a_small_example() -> None:
    # Angry: 2 of 3 found, happy: 1 of 1; one angry picture was taken for happy.
    scores = score(labels(ANGRY, ANGRY, ANGRY, HAPPY), labels(ANGRY, ANGRY, HAPPY, HAPPY))
    assert scores.count == 4
    assert scores.labels == EMOTIONS
    assert scores.accuracy == 0.75
    assert scores.recall[[ANGRY, HAPPY]].tolist() == pytest.approx([2 / 3, 1])
    assert scores.precision[[ANGRY, HAPPY]].tolist() == pytest.approx([1, 1 / 2])
    assert scores.f1[[ANGRY, HAPPY]].tolist() == pytest.approx([4 / 5, 2 / 3])
    assert scores.macro_f1 == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert scores.mean_class_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert scores.confusion[ANGRY].tolist() == [2, 0, 0, 1, 0, 0, 0]
    assert scores.support.tolist() == [3, 0, 0, 1, 0, 0, 0]


def test_pictures_without_a_truth_do_not_count() -> None:
    scores = score(labels(-1, SAD, -1), labels(ANGRY, SAD, -1))
    assert scores.count == 1
    assert scores.accuracy == 1


def test_pictures_without_a_prediction_count_as_wrong() -> None:
    # Sad: 2 of 4 are read right, 1 as happy, 1 not at all; nothing else is called sad.
    scores = score(labels(SAD, SAD, SAD, SAD), labels(SAD, SAD, HAPPY, -1))
    assert (scores.count, scores.accuracy, scores.recall[SAD]) == (4, 0.5, 0.5)
    assert scores.precision[SAD] == 1
    assert scores.f1[SAD] == pytest.approx(2 * 1 * 0.5 / (1 + 0.5))
    assert scores.missed.tolist() == [0, 0, 0, 0, 0, 1, 0]
    assert scores.answered().count == 3
    assert scores.answered().accuracy == pytest.approx(2 / 3)


def test_an_emotion_that_is_only_predicted_lowers_f1() -> None:
    scores = score(labels(SAD, SAD), labels(SAD, HAPPY))
    assert scores.macro_f1 == pytest.approx((2 / 3 + 0) / 2)
    assert scores.mean_class_accuracy == 0.5


def test_nothing_to_measure() -> None:
    scores = score(labels(), labels())
    assert (scores.count, scores.accuracy, scores.macro_f1, scores.mean_class_accuracy) == (0, 0, 0, 0)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=50))
def test_figures_are_those_of_scikit_learn(pairs: Sequence[tuple[int, int]]) -> None:
    truth, predicted = labels(*(pair[0] for pair in pairs)), labels(*(pair[1] for pair in pairs))
    scores = score(truth, predicted, EIGHT)
    assert scores.confusion.tolist() == confusion_matrix(truth, predicted, labels=range(8)).tolist()
    assert scores.accuracy == pytest.approx(accuracy_score(truth, predicted))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=range(8), zero_division=0
    )
    for ours, theirs in (
        (scores.precision, precision),
        (scores.recall, recall),
        (scores.f1, f1),
        (scores.support, support),
    ):
        assert ours.tolist() == pytest.approx(theirs.tolist())
    # Without `labels`, scikit-learn takes the mean over those that occur in truth or prediction.
    macro = precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)[2]
    assert scores.macro_f1 == pytest.approx(macro)
    assert scores.mean_class_accuracy == pytest.approx(recall[support > 0].mean())
