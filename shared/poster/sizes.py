"""The four sizes of the model."""

from shared.poster.config import SIZES, Size
from shared.poster.expression import ExpressionModel
from shared.poster.model import DEPTHS, Poster
from shared.poster.nano import build_nano


def build(size: Size, num_classes: int) -> ExpressionModel:
    """Return a model with new weights, float32, in training mode, its landmark stream frozen.

    Raises ValueError for an unknown size or fewer than two classes.
    """
    if num_classes < 2:
        raise ValueError(f"a classifier needs at least 2 classes, not {num_classes}")
    if size == "nano":
        return build_nano(num_classes)
    if size in DEPTHS:
        return Poster(DEPTHS[size], num_classes)
    raise ValueError(f"size must be one of {', '.join(SIZES)}, not {size}")
