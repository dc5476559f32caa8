"""The exponential moving average of the weights."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def make_average(model: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of `model` whose weights follow it, and whose statistics are its own."""
    return AveragedModel(model, multi_avg_fn=moving_average(decay))


def moving_average(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    """Return the average's update: `decay` of the old is kept, less in the first steps.

    A short run would otherwise end in an average that is mostly where it began. The ramp is that of
    TensorFlow's ExponentialMovingAverage with `num_updates`.
    """

    def update(averages: Sequence[Tensor], currents: Sequence[Tensor], count: Tensor | int) -> None:
        steps = int(count)
        taken = 1 - min(decay, (1 + steps) / (10 + steps))
        with torch.no_grad():
            for average, current in zip(averages, currents, strict=True):
                average.lerp_(current, taken)

    return update
