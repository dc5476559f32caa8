import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import score

ANGRY, HAPPY, SAD = 0, 3, 5


def labels(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


def test_figures_of_a_small_example() -> None:
    # Angry: 2 of 3 found, happy: 1 of 1; one angry picture was taken for happy.
    scores = score(labels(ANGRY, ANGRY, ANGRY, HAPPY), labels(ANGRY, ANGRY, HAPPY, HAPPY))
    assert scores.count == 4
    assert scores.accuracy == 0.75
    assert scores.recall[[ANGRY, HAPPY]].tolist() == pytest.approx([2 / 3, 1])
    assert scores.precision[[ANGRY, HAPPY]].tolist() == pytest.approx([1, 1 / 2])
    assert scores.f1[[ANGRY, HAPPY]].tolist() == pytest.approx([4 / 5, 2 / 3])
    assert scores.macro_f1 == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert scores.mean_class_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert scores.confusion[ANGRY].tolist() == [2, 0, 0, 1, 0, 0, 0]


def test_pictures_without_a_truth_do_not_count() -> None:
    scores = score(labels(-1, SAD, -1), labels(ANGRY, SAD, SAD))
    assert scores.count == 1
    assert scores.accuracy == 1


def test_an_emotion_that_is_only_predicted_lowers_f1() -> None:
    scores = score(labels(SAD, SAD), labels(SAD, HAPPY))
    assert scores.macro_f1 == pytest.approx((2 / 3 + 0) / 2)
    assert scores.mean_class_accuracy == 0.5


def test_nothing_to_measure() -> None:
    scores = score(labels(), labels())
    assert (scores.count, scores.accuracy, scores.macro_f1, scores.mean_class_accuracy) == (0, 0, 0, 0)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=50))
def test_figures_agree_with_their_definitions(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = labels(*(pair[0] for pair in pairs)), labels(*(pair[1] for pair in pairs))
    scores = score(truth, predicted)
    assert scores.accuracy == pytest.approx((truth == predicted).mean())
    present = sorted(set(truth))
    recalls = [(predicted[truth == label] == label).mean() for label in present]
    assert scores.mean_class_accuracy == pytest.approx(np.mean(recalls))
    f1 = []
    for label in sorted({*truth, *predicted}):
        hits = ((truth == label) & (predicted == label)).sum()
        f1.append(hits / (hits + ((truth == label) != (predicted == label)).sum() / 2))
    assert scores.macro_f1 == pytest.approx(np.mean(f1))
