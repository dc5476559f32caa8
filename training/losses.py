"""Losses of logits [B, C] against targets [B, C] whose rows are shares that sum to 1; each returns a scalar.

For a one-hot row they are the published losses. For a soft row each is the expected loss of a label that is
drawn from the row, so that votes and mixup weigh as they say.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid

from training.recipe import Recipe

Criterion = Callable[[Tensor, Tensor], Tensor]

POSTER_SMOOTHING: Final = 0.2
CB_BETA: Final = 0.9999
CB_GAMMA: Final = 2.0


def make_criterion(recipe: Recipe, counts: Tensor) -> Criterion:
    """Return the loss of `recipe`; `counts` [C] is the number of training pictures of each class."""
    match recipe.loss:
        case "cross_entropy":
            return partial(cross_entropy, label_smoothing=recipe.label_smoothing)
        case "poster":
            return poster_loss
        case "cb_focal":
            return partial(class_balanced_focal, weights=class_balanced_weights(counts))


def poster_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return CE + 2·LSCE(0.2), the loss that POSTER was published with (paper, eq. 5)."""
    smoothed = cross_entropy(logits, targets, label_smoothing=POSTER_SMOOTHING)
    return cross_entropy(logits, targets) + 2 * smoothed


def class_balanced_weights(counts: Tensor, beta: float = CB_BETA) -> Tensor:
    """Return float32 [C]: (1 - β) / (1 - β^n), scaled to sum to C (paper, eq. 7; Cui et al., CVPR 2019).

    A class that `counts` [C] has fewer than one picture of weighs as one with a single picture.
    """
    weights = (1 - beta) / (1 - beta ** counts.double().clamp(min=1))
    return (weights * len(counts) / weights.sum()).float()


def class_balanced_focal(logits: Tensor, targets: Tensor, weights: Tensor, gamma: float = CB_GAMMA) -> Tensor:
    """Return the class-balanced focal loss on sigmoid outputs, by the formula of Cui et al.'s code.

    The focal binary cross-entropy of every output, (1 - pₜ)^γ · -log pₜ, times the weight of the picture's
    class, summed over all outputs and divided by the number of labels in the batch.
    """
    weighted = targets * weights.to(logits.device)
    present = -(torch.sigmoid(-logits) ** gamma) * logsigmoid(logits)
    absent = -(torch.sigmoid(logits) ** gamma) * logsigmoid(-logits)
    total = weighted * present + (weighted.sum(1, keepdim=True) - weighted) * absent
    return total.sum() / len(logits)
