import pytest
import torch
from torch import nn

from tests.training.tiny import TinyModel
from training.optimizer import make_optimizer, parameter_groups
from training.recipe import Recipe

RECIPE = Recipe(lr=0.01, backbone_lr=0.002, weight_decay=0.05)


def test_groups_part_pretrained_from_new_and_spare_scales() -> None:
    model = TinyModel()
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in parameter_groups(model, RECIPE)
        for parameter in group["params"]
    }
    assert found == {
        id(model.stem.weight): (0.002, 0.05),
        id(model.stem.bias): (0.002, 0.0),
        id(model.norm.weight): (0.01, 0.0),
        id(model.norm.bias): (0.01, 0.0),
        id(model.embed.weight): (0.01, 0.05),
        id(model.embed.bias): (0.01, 0.0),
        id(model.head.weight): (0.01, 0.05),
        id(model.head.bias): (0.01, 0.0),
    }


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        # The first step is the rate against the sign of the gradient; AdamW shrinks the weight besides.
        ("adamw", 4 * (1 - 0.1 * 0.8) - 0.1),
        ("adam", 4 - 0.1),
    ],
)
def test_the_first_step(optimizer: str, expected: float) -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 4.0)
    recipe = Recipe(lr=0.1, weight_decay=0.8, optimizer=optimizer)  # type: ignore[arg-type]
    (2 * model(torch.ones(1, 1))).sum().backward()
    make_optimizer(model, recipe).step()
    assert model.weight.item() == pytest.approx(expected, rel=1e-6)


def test_adams_decay_turns_a_small_gradient_round() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, -4.0)
    (2 * model(torch.ones(1, 1))).sum().backward()
    make_optimizer(model, Recipe(lr=0.1, weight_decay=0.8, optimizer="adam")).step()
    # 2 + 0.8 · -4 < 0: the weight grows.
    assert model.weight.item() == pytest.approx(-3.9, rel=1e-6)
