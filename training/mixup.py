"""Mixup (Zhang et al., ICLR 2018)."""

import numpy as np
import torch
from torch import Tensor


def mix(images: Tensor, targets: Tensor, alpha: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Blend each picture [B, …] and its target [B, C] with another of the batch, all in one proportion.

    The proportion is drawn from Beta(α, α) with `rng`, as is the partner.
    """
    kept = float(rng.beta(alpha, alpha))
    partners = torch.from_numpy(rng.permutation(len(images)))
    return (
        torch.lerp(images[partners], images, kept),
        torch.lerp(targets[partners], targets, kept),
    )
