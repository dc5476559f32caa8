"""The recipe of a training run: every number that shapes the result, in one frozen value."""

from typing import Annotated, Literal

import msgspec

Target = Literal["label", "votes", "mixed"]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Augmentation(msgspec.Struct, frozen=True, kw_only=True):
    """How far a training picture is moved and changed; each amount is drawn evenly from its range.

    FER2013 crops hold eyes, nose and mouth much where the alignment template has them (see
    docs/training.md) and spread further than any aligned face, so these ranges need not be wide.
    """

    flip: Fraction = 0.5
    degrees: float = 12.0
    scale: Fraction = 0.12
    shift: Fraction = 0.06
    contrast: Fraction = 0.35
    brightness: Fraction = 0.15
    blur: Fraction = 0.8
    sharpen: Fraction = 0.8
    erase: Fraction = 0.3
    erase_area: tuple[Fraction, Fraction] = (0.03, 0.2)


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is trained. `target`: FER2013's label, FER+'s votes, or the mean of the two.

    Learning rates are the peaks of one cycle, for the pretrained stream and for the rest.
    """

    target: Target = "mixed"
    epochs: Count = 6
    batch_size: Count = 128
    backbone_lr: Positive = 4e-4
    lr: Positive = 1e-3
    warmup: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.15
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.05
    label_smoothing: Fraction = 0.1
    ema_decay: Fraction = 0.99
    validation: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.05
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    augmentation: Augmentation = Augmentation()
