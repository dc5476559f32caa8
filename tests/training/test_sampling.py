import numpy as np
import torch
from sklearn.utils.class_weight import compute_sample_weight

from training.sampling import balancing_weights, draw_order

LABELS = np.repeat([0, 1, 2], [700, 250, 50])
TARGETS = torch.eye(3)[torch.from_numpy(LABELS)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_picture_weighs_one_over_the_number_of_its_class() -> None:
    weights = balancing_weights(TARGETS)
    assert weights[[0, 700, 950]].tolist() == [1 / 700, 1 / 250, 1 / 50]
    theirs = compute_sample_weight("balanced", LABELS)
    np.testing.assert_allclose(weights / weights.sum(), theirs / theirs.sum())


def test_a_soft_target_counts_for_its_greatest_share() -> None:
    soft = torch.tensor([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8]])
    assert balancing_weights(soft).tolist() == [0.5, 0.5, 1]


def test_balanced_shows_classes_equally_often() -> None:
    order = draw_order(TARGETS.repeat(9, 1), "balanced", generator())
    assert len(order) == 9000
    shown = np.bincount(np.tile(LABELS, 9)[order])
    # 3000 each, deviation √(9000 · 1/3 · 2/3) = 45.
    assert (abs(shown - 3000) < 5 * 45).all()
    # With replacement: 450 pictures fill the last 3000 places.
    assert len(set(order.tolist())) < 9000


def test_shuffled_shows_every_picture_once() -> None:
    order = draw_order(TARGETS, "shuffled", generator())
    assert sorted(order.tolist()) == list(range(1000))
    assert order.tolist() != list(range(1000))


def test_the_generator_decides() -> None:
    first, again, other = (draw_order(TARGETS, "balanced", generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
