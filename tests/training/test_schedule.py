import math

import pytest
import torch
from torch import nn

from training.recipe import Recipe
from training.schedule import exponential, make_schedule, warm_cosine


def rates(recipe: Recipe, steps: int) -> list[tuple[float, float]]:
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": rate} for rate in (0.1, 0.4)]
    optimizer = torch.optim.AdamW(groups)
    schedule = make_schedule(optimizer, recipe, steps)
    seen = []
    for _ in range(recipe.epochs * steps):
        seen.append(tuple(group["lr"] for group in optimizer.param_groups))
        optimizer.step()
        schedule.step()
    return seen


def test_cosine_rises_and_falls() -> None:
    factor = warm_cosine(10, 0.2)
    expected = [0.5, 1, 1, *(0.5 + 0.5 * math.cos(math.pi * part / 8) for part in range(1, 8))]
    assert [factor(step) for step in range(10)] == pytest.approx(expected)


def test_cosine_of_each_group_has_its_own_peak() -> None:
    seen = rates(Recipe(schedule="cosine", epochs=2, warmup=0.1), 10)
    assert seen[0] == pytest.approx((0.05, 0.2))
    assert max(seen) == pytest.approx((0.1, 0.4))
    assert seen[-1] < (0.001, 0.004)


def test_exponential_falls_after_every_epoch_as_torchs() -> None:
    recipe = Recipe(schedule="exponential", gamma=0.9, epochs=4)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.4)
    theirs = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    expected = []
    for _ in range(4):
        expected += 3 * [optimizer.param_groups[0]["lr"]]
        optimizer.step()
        theirs.step()
    assert [last for _, last in rates(recipe, 3)] == pytest.approx(expected)
    assert [exponential(3, 0.5)(step) for step in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_one_cycle_peaks_after_its_warm_up_and_ends_near_nothing() -> None:
    seen = rates(Recipe(schedule="one_cycle", epochs=4, warmup=0.25), 5)
    assert seen.index(max(seen)) == 4
    assert max(seen) == pytest.approx((0.1, 0.4))
    assert seen[-1] < (1e-5, 4e-5)
