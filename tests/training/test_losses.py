import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight
from torchvision.ops import sigmoid_focal_loss

from training.losses import class_balanced_focal, class_balanced_weights, make_criterion, poster_loss
from training.recipe import Recipe

COUNTS = torch.tensor([3995, 436, 4097, 7215, 4965, 4830, 3171])
"""FER2013's."""


def logits(count: int = 5, seed: int = 0) -> torch.Tensor:
    return 3 * torch.randn(count, 7, generator=torch.Generator().manual_seed(seed))


def one_hot(*labels: int) -> torch.Tensor:
    return torch.eye(7)[list(labels)]


def log_softmax(values: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    return np.asarray(wide - np.log(np.exp(wide).sum(axis=1, keepdims=True)))


def test_poster_is_the_sum_of_the_paper() -> None:
    labels = [0, 3, 6, 3, 1]
    log_p = log_softmax(logits().numpy())
    right = log_p[range(5), labels]
    plain = -right.mean()
    smoothed = -(0.8 * right + 0.2 * log_p.mean(axis=1)).mean()
    assert poster_loss(logits(), one_hot(*labels)).item() == pytest.approx(plain + 2 * smoothed, rel=1e-5)


def test_poster_of_even_logits() -> None:
    # Each class has 1/7: both terms are log 7.
    assert poster_loss(torch.zeros(2, 7), one_hot(0, 5)).item() == pytest.approx(3 * np.log(7))


def test_cross_entropy_is_smoothed_as_the_recipe_says() -> None:
    labels = [2, 2, 0, 4, 5]
    log_p = log_softmax(logits().numpy())
    expected = -(0.7 * log_p[range(5), labels] + 0.3 * log_p.mean(axis=1)).mean()
    criterion = make_criterion(Recipe(label_smoothing=0.3), COUNTS)
    assert criterion(logits(), one_hot(*labels)).item() == pytest.approx(expected, rel=1e-5)


def test_a_class_weighs_one_over_its_effective_number() -> None:
    # The effective number, (1 - β^n) / (1 - β), is a geometric series.
    effective = [sum(0.9**power for power in range(count)) for count in (1, 4, 20)]
    inverse = 1 / np.array(effective)
    weights = class_balanced_weights(torch.tensor([1, 4, 20]), beta=0.9)
    np.testing.assert_allclose(weights, 3 * inverse / inverse.sum(), rtol=1e-6)


def test_weights_sum_to_the_number_of_classes() -> None:
    weights = class_balanced_weights(COUNTS)
    assert weights.sum().item() == pytest.approx(7, rel=1e-6)
    assert weights.argmax() == 1


def test_near_beta_one_a_class_weighs_one_over_its_pictures() -> None:
    labels = np.repeat(np.arange(7), COUNTS.numpy())
    balanced = compute_class_weight("balanced", classes=np.arange(7), y=labels)
    weights = class_balanced_weights(COUNTS, beta=1 - 1e-9)
    np.testing.assert_allclose(weights, 7 * balanced / balanced.sum(), rtol=1e-4)


def test_an_absent_class_has_a_finite_weight() -> None:
    assert class_balanced_weights(torch.tensor([0, 5])).isfinite().all()


def test_cb_focal_is_the_published_formula() -> None:
    # Cui et al.: exp(-γ·y·z - γ·log(1 + exp(-z))) times the weighted cross-entropy, over the sum of labels.
    z, y = logits().double().numpy(), one_hot(0, 1, 1, 3, 6).double().numpy()
    weights = class_balanced_weights(COUNTS)
    entropy = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    modulator = np.exp(-2 * y * z - 2 * np.log1p(np.exp(-z)))
    alpha = weights.double().numpy()[[0, 1, 1, 3, 6]][:, None]
    expected = (alpha * modulator * entropy).sum() / y.sum()
    criterion = make_criterion(Recipe(loss="cb_focal"), COUNTS)
    assert criterion(logits(), one_hot(0, 1, 1, 3, 6)).item() == pytest.approx(expected, rel=1e-5)


def test_cb_focal_with_even_weights_is_torchvisions_focal_loss() -> None:
    targets = one_hot(0, 1, 2, 3, 6)
    theirs = sigmoid_focal_loss(logits(), targets, alpha=-1, gamma=2, reduction="sum") / 5
    torch.testing.assert_close(class_balanced_focal(logits(), targets, torch.ones(7)), theirs)


@given(st.integers(0, 1000), st.sampled_from(["cross_entropy", "poster", "cb_focal"]))
def test_a_soft_target_costs_what_its_labels_cost_on_average(seed: int, loss: str) -> None:
    criterion = make_criterion(Recipe(loss=loss, label_smoothing=0.1), COUNTS)  # type: ignore[arg-type]
    outputs = logits(1, seed)
    shares = torch.rand(1, 7, generator=torch.Generator().manual_seed(seed)).softmax(1)
    each = torch.stack([criterion(outputs, one_hot(label)) for label in range(7)])
    torch.testing.assert_close(criterion(outputs, shares), (shares[0] * each).sum(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("loss", ["cross_entropy", "poster", "cb_focal"])
def test_sure_outputs_have_finite_gradients(loss: str) -> None:
    outputs = torch.tensor([[200.0, -200, 0, 50, -50, 1, 2]], requires_grad=True)
    criterion = make_criterion(Recipe(loss=loss), COUNTS)  # type: ignore[arg-type]
    criterion(outputs, one_hot(1)).backward()  # type: ignore[no-untyped-call]
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()
