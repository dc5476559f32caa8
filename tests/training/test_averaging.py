import pytest
import torch
from torch import nn

from training.averaging import make_average, moving_average


def test_little_is_kept_of_the_first_steps() -> None:
    def kept(count: int | torch.Tensor) -> float:
        average = torch.zeros(1)
        moving_average(0.99)([average], [torch.ones(1)], count)
        return 1 - average.item()

    assert [kept(count) for count in (1, 10, 1000, torch.tensor(10**6))] == pytest.approx(
        [2 / 11, 11 / 20, 0.99, 0.99]
    )


def test_the_average_of_a_model_follows_it() -> None:
    linear, norm = nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1)
    model = nn.Sequential(linear, norm)
    average = make_average(model, 0.9)
    expected = 0.0
    for step, weight in enumerate((2.0, 6.0, -1.0)):
        nn.init.constant_(linear.weight, weight)
        model(torch.full((4, 1), weight))
        average.update_parameters(model)
        kept = 0.0 if step == 0 else min(0.9, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * weight
    averaged = average.module.state_dict()
    assert averaged["0.weight"].item() == pytest.approx(expected)
    assert torch.equal(averaged["1.running_mean"], norm.state_dict()["running_mean"])
