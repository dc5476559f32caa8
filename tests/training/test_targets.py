import numpy as np
import pytest

from shared.emotions import EMOTIONS
from shared.errors import DataError
from training.datasets.labels import EIGHT
from training.datasets.votes import Votes
from training.targets import soft_targets

HAPPY, NEUTRAL, SAD, CONTEMPT = 3, 4, 5, 7
LABELS = np.array([HAPPY, SAD], np.int64)
COUNTS = np.zeros((2, 8), np.int64)
COUNTS[0, [HAPPY, NEUTRAL, CONTEMPT]] = 6, 2, 2
VOTES = Votes(COUNTS, np.array([10, 10]))


def test_label_targets_are_one_hot() -> None:
    targets, known = soft_targets(LABELS, None, "label", EMOTIONS)
    assert targets.tolist() == np.eye(7)[[HAPPY, SAD]].tolist()
    assert targets.dtype == np.float32
    assert known.tolist() == [True, True]


def test_vote_targets_share_the_votes_of_the_outputs() -> None:
    targets, known = soft_targets(LABELS, VOTES, "votes", EMOTIONS)
    assert targets[0].tolist() == [0, 0, 0, 0.75, 0.25, 0, 0]
    assert known.tolist() == [True, False]
    targets, _ = soft_targets(LABELS, VOTES, "votes", EIGHT)
    np.testing.assert_allclose(targets[0], [0, 0, 0, 0.6, 0.2, 0, 0, 0.2])


def test_mixed_targets_are_the_mean_of_both() -> None:
    targets, known = soft_targets(LABELS, VOTES, "mixed", EMOTIONS)
    assert targets[0].tolist() == [0, 0, 0, 0.875, 0.125, 0, 0]
    assert targets.dtype == np.float32
    assert known.tolist() == [True, False]


def test_targets_are_in_the_order_of_the_outputs() -> None:
    outputs = ("contempt", "neutral", "happy", "sad", "surprise", "fear", "disgust", "angry")
    targets, _ = soft_targets(np.array([2, 3], np.int64), VOTES, "mixed", outputs)
    np.testing.assert_allclose(targets[0], [0.1, 0.1, 0.8, 0, 0, 0, 0, 0], rtol=1e-6)


def test_vote_targets_need_votes() -> None:
    with pytest.raises(DataError, match="target mixed needs the FER"):
        soft_targets(LABELS, None, "mixed", EMOTIONS)
