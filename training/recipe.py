"""The recipe of a training run: every number that shapes the result, in one frozen value."""

from typing import Annotated, Literal

import msgspec

Target = Literal["label", "votes", "mixed"]
Loss = Literal["cross_entropy", "poster", "cb_focal"]
Sampling = Literal["shuffled", "balanced"]
Optimizer = Literal["adam", "adamw"]
Schedule = Literal["one_cycle", "cosine", "exponential"]
Selection = Literal["last", "accuracy", "macro_f1"]
Fill = Literal["grey", "mean"]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Augmentation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a training picture is moved and changed; each amount is drawn evenly from its range.

    `lighting` is the deviation of the noise along ImageNet's principal colours (AlexNet's, 0.1 in the paper).
    `erase` is the share of pictures with one erased rectangle, of `erase_area` times the picture's area,
    filled with any grey or with the mean that the model's normalisation takes away (the paper's zeros).

    FER2013 crops hold eyes, nose and mouth much where the alignment template has them (see
    docs/training.md) and spread further than any aligned face, so these ranges need not be wide.
    """

    flip: Fraction = 0.5
    degrees: NotNegative = 12.0
    scale: Fraction = 0.12
    shift: Fraction = 0.06
    contrast: Fraction = 0.35
    brightness: Fraction = 0.15
    blur: Fraction = 0.8
    sharpen: Fraction = 0.8
    lighting: NotNegative = 0.0
    erase: Fraction = 0.3
    erase_area: tuple[Fraction, Fraction] = (0.03, 0.2)
    erase_fill: Fill = "grey"


class Lora(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Low-rank adaptation of the pyramid (paper, section II-B); the scaling factor alpha is twice the rank.

    `hybrid` also trains the pyramid's norms, cross-attentions and last block whole.
    """

    rank: Count = 64
    dropout: Fraction = 0.1
    hybrid: bool = False


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is trained.

    `target`: the data set's label, FER+'s votes, or the mean of the two. `loss`: cross-entropy with
    `label_smoothing`; the paper's CE + 2·LSCE(0.2); class-balanced focal loss. `sampling`: every picture once
    an epoch, or classes equally often. `backbone_lr` and `lr` are the peaks for the pretrained stream and for
    the rest. `sam_rho` 0, `ema_decay` 0, `mixup` 0 and `patience` 0 switch their part off. `select` says
    which epoch's weights are kept: the last, or the best by the label or, where votes are taught, by the
    votes' majority. With `lora` only an adapter is trained. `validation` is the share of the training
    pictures that is cut off to validate on, `paper_split` validates on the test split, as the paper did.
    """

    target: Target = "mixed"
    epochs: Count = 6
    batch_size: Count = 128
    loss: Loss = "cross_entropy"
    label_smoothing: Fraction = 0.1
    sampling: Sampling = "shuffled"
    optimizer: Optimizer = "adamw"
    backbone_lr: Positive = 4e-4
    lr: Positive = 1e-3
    weight_decay: NotNegative = 0.05
    schedule: Schedule = "one_cycle"
    warmup: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.15
    gamma: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.98
    sam_rho: NotNegative = 0.0
    ema_decay: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.99
    mixup: NotNegative = 0.0
    patience: Annotated[int, msgspec.Meta(ge=0)] = 0
    select: Selection = "last"
    validation: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.05
    paper_split: bool = False
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    augmentation: Augmentation = Augmentation()
    lora: Lora | None = None
