"""The course of the learning rate."""

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from training.recipe import Recipe


def make_schedule(optimizer: Optimizer, recipe: Recipe, steps: int) -> LRScheduler:
    """Return the schedule of `recipe`, advanced once per step, of an epoch of `steps`.

    The rates that the optimizer's groups have now are the peaks.
    """
    total = recipe.epochs * steps
    match recipe.schedule:
        case "one_cycle":
            peaks = [group["lr"] for group in optimizer.param_groups]
            return OneCycleLR(optimizer, max_lr=peaks, total_steps=total, pct_start=recipe.warmup)
        case "cosine":
            return LambdaLR(optimizer, warm_cosine(total, recipe.warmup))
        case "exponential":
            return LambdaLR(optimizer, exponential(steps, recipe.gamma))


def warm_cosine(total: int, warmup: float) -> Callable[[int], float]:
    """Return the factor of a step, from 0: up in a line for the share `warmup` of all, down half a cosine."""
    rising = max(1, round(warmup * total))

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))

    return factor


def exponential(steps: int, gamma: float) -> Callable[[int], float]:
    """Return the factor of a step, from 0: γ to the power of the epochs that are finished."""
    return lambda step: gamma ** (step // steps)
