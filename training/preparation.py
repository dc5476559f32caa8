"""From a data folder to the batches of a run."""

import logging
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from shared.poster.config import ModelConfig
from training.batches import Batches
from training.datasets import Faces, read_faces, read_votes
from training.recipe import Recipe
from training.splits import soft_targets, split_validation, without_twins

log = logging.getLogger(__name__)

SPLIT_SEED: Final = 0
"""One for all runs: a model that is trained further under another seed is not validated on what it knows."""


def prepare(data: Path, votes: Path | None, config: ModelConfig, recipe: Recipe) -> tuple[Batches, Batches]:
    """Return training batches, with targets float32 [N, 7], and validation batches with int64 [N, 1 or 2].

    The validation truth is each picture's label and, with votes, FER+'s majority (-1: there is none). Both
    leave out what is in `<data>/test` too. Raises DataError on anything wrong with the data.
    """
    grey = is_grey(config)
    faces = read_faces(data, "train", grey=grey)
    if (data / "test").is_dir():
        kept = without_twins(faces, read_faces(data, "test", grey=grey))
        log.info("left out %d training pictures that are in the test split too", len(faces) - len(kept))
        faces = faces.take(kept)
    counted = read_votes(votes, faces.names) if votes is not None else None
    targets, known = soft_targets(faces.labels, counted, recipe.target)
    truth = [faces.labels] if counted is None else [faces.labels, counted.majority()]
    train, held = split_validation(faces, recipe.validation, SPLIT_SEED)
    train = train[known[train]]
    return (
        as_batches(faces.take(train), torch.from_numpy(targets[train]), config, recipe.batch_size),
        as_batches(
            faces.take(held), torch.from_numpy(np.stack(truth, axis=1)[held]), config, recipe.batch_size
        ),
    )


def as_batches(faces: Faces, targets: Tensor, config: ModelConfig, batch_size: int) -> Batches:
    """Return `faces` as batches for the model of `config`; `targets` has a row for each of them."""
    images = torch.from_numpy(faces.images).permute(0, 3, 1, 2).contiguous()
    return Batches(images, targets, config.input_size, config.preprocessing, batch_size)


def is_grey(config: ModelConfig) -> bool:
    """Say whether the model is shown grey pictures."""
    return config.preprocessing.channels == "grey"
