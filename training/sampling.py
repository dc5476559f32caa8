"""Which pictures an epoch shows, and in which order."""

import torch
from torch import Tensor

from training.recipe import Sampling


def draw_order(targets: Tensor, sampling: Sampling, generator: torch.Generator) -> Tensor:
    """Return int64 [N], the pictures of one epoch in order; `targets` [N, C] as the losses take them.

    "shuffled" shows each picture once. "balanced" draws N pictures with replacement, so that every class is
    shown equally often: the paper's ImbalancedDatasetSampler (section III-B3).
    """
    if sampling == "shuffled":
        return torch.randperm(len(targets), generator=generator)
    weights = balancing_weights(targets)
    return torch.multinomial(weights, len(targets), replacement=True, generator=generator)


def balancing_weights(targets: Tensor) -> Tensor:
    """Return float64 [N]: one over the number of pictures of each picture's class (paper, eq. 4).

    A picture with a soft target counts as one of the class with the greatest share.
    """
    classes = targets.argmax(1)
    return 1 / classes.bincount().double()[classes]
