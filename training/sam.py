"""Sharpness-aware minimisation: the gradient is taken where the loss near the weights is highest.

Source: Foret et al., ICLR 2021.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils import get_total_norm


@contextmanager
def perturbed(parameters: list[nn.Parameter], rho: float) -> Iterator[None]:
    """Move `parameters` by ρ·g/‖g‖ inside the block, g their gradients as one vector; then back, bit for bit.

    Clears the gradients, so that those taken inside the block are the only ones after it.
    """
    moved = [parameter for parameter in parameters if parameter.grad is not None]
    gradients = [parameter.grad for parameter in moved if parameter.grad is not None]
    kept = [parameter.detach().clone() for parameter in moved]
    with torch.no_grad():
        scale = rho / (get_total_norm(gradients) + torch.finfo(torch.float32).tiny)
        for parameter, gradient in zip(moved, gradients, strict=True):
            parameter.add_(gradient * scale)
            parameter.grad = None
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, before in zip(moved, kept, strict=True):
                parameter.copy_(before)


@contextmanager
def still_statistics(model: nn.Module) -> Iterator[None]:
    """Keep the running statistics of batch normalisation as they are inside the block.

    They belong to the weights themselves, not to the perturbed ones.
    """
    norms = [
        each
        for each in model.modules()
        if isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d) and each.track_running_stats
    ]
    for each in norms:
        each.track_running_stats = False
    try:
        yield
    finally:
        for each in norms:
            each.track_running_stats = True
