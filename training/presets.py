"""Recipes by name: the five rows of the paper's Table I, and the one that nano was trained with."""

from types import MappingProxyType
from typing import Final, Literal, get_args

from msgspec.structs import replace

from training.recipe import Augmentation, Recipe

PresetName = Literal["modern", "standard", "augmented", "balanced", "cb", "all"]

_FLIP: Final = Augmentation(degrees=0, scale=0, shift=0, contrast=0, brightness=0, blur=0, sharpen=0, erase=0)
# What the paper (section III-B) leaves open is as in the published POSTER code and torchvision's defaults.
_STANDARD: Final = Recipe(
    target="label",
    epochs=300,
    batch_size=100,
    loss="poster",
    optimizer="adam",
    backbone_lr=4e-5,
    lr=4e-5,
    weight_decay=0,
    schedule="exponential",
    gamma=0.98,
    sam_rho=0.05,
    ema_decay=0,
    patience=20,
    select="accuracy",
    augmentation=_FLIP,
)
_AUGMENTED: Final = replace(
    _STANDARD,
    augmentation=replace(_FLIP, lighting=0.1, erase=0.5, erase_area=(0.02, 0.1), erase_fill="mean"),
)

PRESETS: Final = MappingProxyType[PresetName, Recipe](
    {
        "modern": Recipe(),
        "standard": _STANDARD,
        "augmented": _AUGMENTED,
        "balanced": replace(_AUGMENTED, sampling="balanced"),
        "cb": replace(_AUGMENTED, loss="cb_focal"),
        "all": replace(_AUGMENTED, sampling="balanced", loss="cb_focal"),
    }
)
PAPER: Final[tuple[PresetName, ...]] = get_args(PresetName)[1:]
"""The rows of Table I, in its order."""
