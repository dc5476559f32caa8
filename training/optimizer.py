"""The optimizer and its groups of parameters."""

from typing import Any, Final

from torch import nn, optim

from training.recipe import Recipe

PRETRAINED: Final = ("stem.", "top.", "ir_back.")
"""What the names of an image stream begin with: pretrained, so it is trained gently."""


def make_optimizer(model: nn.Module, recipe: Recipe) -> optim.Optimizer:
    """Return the optimizer of `recipe` over what `model` has to train; its rates are the peaks."""
    groups = parameter_groups(model, recipe)
    # One pass over the weights instead of one per operation: a quarter of the time for large, on a CPU.
    return (optim.Adam if recipe.optimizer == "adam" else optim.AdamW)(groups, fused=True)


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the groups: pretrained or new, decayed (matrices and kernels) or not (scales and biases)."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((name.startswith(PRETRAINED), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": recipe.backbone_lr if pretrained else recipe.lr,
            "weight_decay": recipe.weight_decay if decayed else 0.0,
        }
        for (pretrained, decayed), parameters in groups.items()
    ]
