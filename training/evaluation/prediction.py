"""What a model says of a data set."""

import numpy as np
import torch
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.poster.expression import ExpressionModel
from training.batches import Batches
from training.devices import autocast


def predict(
    model: ExpressionModel,
    outputs: tuple[str, ...],
    batches: Batches,
    device: torch.device,
    flip: bool,
    labels: tuple[str, ...] = EMOTIONS,
) -> NDArray[np.float32]:
    """Return probabilities float32 [N, C] in the order of `labels`, from a model with outputs `outputs`.

    Outputs that `labels` lacks are left out, and the others sum to 1. With `flip` the probabilities are the
    mean over each picture and its mirror image. Leaves the model in evaluation mode. Raises DataError when
    the model has no output for one of `labels`.
    """
    model.eval()
    columns = columns_for(outputs, labels)
    rows = []
    with torch.inference_mode(), autocast(device):
        for images, _ in batches.in_order():
            views = [images, images.flip(3)] if flip else [images]
            answers = [model(view.to(device)).logits.float()[:, columns].softmax(1) for view in views]
            rows.append(torch.stack(answers).mean(0).cpu())
    probabilities: NDArray[np.float32] = torch.cat(rows).numpy()
    return probabilities


def restrict(
    probabilities: NDArray[np.float32], outputs: tuple[str, ...], labels: tuple[str, ...]
) -> NDArray[np.float32]:
    """Return the probabilities [N, C] of `labels` alone, each row summing to 1, from those of `outputs`.

    NaN stays NaN. Raises DataError as `columns_for`.
    """
    kept = probabilities[:, columns_for(outputs, labels)]
    return np.asarray(kept / kept.sum(axis=1, keepdims=True), np.float32)


def columns_for(outputs: tuple[str, ...], labels: tuple[str, ...]) -> list[int]:
    """Return for each of `labels` the index of the output of that name.

    Raises DataError when a label has no output.
    """
    missing = [label for label in labels if label not in outputs]
    if missing:
        raise DataError(f"the data set has the label {missing[0]}, the model only knows {', '.join(outputs)}")
    return [outputs.index(label) for label in labels]
