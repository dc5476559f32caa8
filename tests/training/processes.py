"""One process of a run that torchrun started: trains the tiny model and, if it leads, writes the outcome.

Arguments: the folder to write to, and pictures a batch in each process.
"""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import msgspec
import numpy as np
import torch
from torch import nn

from shared.poster.expression import ExpressionModel
from tests.training.tiny import PREPROCESSING, TinyModel
from training.batches import Batches
from training.distributed import join
from training.loop import Run, fit
from training.metrics import score
from training.observer import NOBODY
from training.recipe import Augmentation, Recipe
from training.validation import Validation

STILL = Augmentation(
    flip=0, degrees=0, scale=0, shift=0, contrast=0, brightness=0, blur=0, sharpen=0, erase=0
)
RECIPE = Recipe(target="label", epochs=3, lr=0.01, backbone_lr=0.01, sam_rho=0.1, augmentation=STILL)


def main(out: Path, batch_size: int) -> None:
    """Train on 16 pictures, without what a process does in its own way: dropout, augmentation, statistics.

    In float32: bfloat16 rounds each process's part of a batch by itself.
    """
    with join(torch.device("cpu")) as group, patch("training.passes.autocast", lambda _: nullcontext()):
        # Every process begins with other weights; the leader's are the ones that count.
        torch.manual_seed(group.rank)
        model = TinyModel()
        model.dropout, model.norm = nn.Dropout(0), nn.Identity()  # type: ignore[assignment]
        generator = torch.Generator().manual_seed(1)
        images = torch.randint(0, 256, (16, 1, 48, 48), dtype=torch.uint8, generator=generator)
        targets = torch.rand(16, 7, generator=generator).softmax(1)
        recipe = msgspec.structs.replace(RECIPE, batch_size=batch_size)
        batches = Batches(images, targets, 16, PREPROCESSING, batch_size)
        run = Run(model, recipe, batches, torch.ones(7), group)
        fit(run, out, validate, NOBODY)
        if group.leads:
            weights = {name: each.flatten().tolist() for name, each in run.averaged.state_dict().items()}
            (out / "weights.json").write_text(json.dumps(weights))


def validate(model: ExpressionModel) -> Validation:
    """Return scores that never get better."""
    return Validation({"label": score(np.zeros(1, np.int64), np.zeros(1, np.int64))})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
