"""Batches of a data set in memory, normalised as the model's config says."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from shared.faces.preprocessing import preprocess
from shared.poster.config import Preprocessing
from training.augmentation import augment
from training.distributed import Group
from training.mixup import mix
from training.recipe import Recipe
from training.sampling import draw_order


class Batches:
    """Pictures uint8 [N, C, H, W] and their targets [N, …], given out in batches [B, 3, size, size]."""

    def __init__(
        self, images: Tensor, targets: Tensor, size: int, preprocessing: Preprocessing, batch_size: int
    ) -> None:
        self.images = images
        self.targets = targets
        self.size = size
        self.preprocessing = preprocessing
        self.batch_size = batch_size

    def steps(self, group: Group) -> int:
        """Batches of an epoch in each process: full ones only, but one at least."""
        return max(1, len(self.images) // (self.batch_size * group.size))

    def drawn(self, recipe: Recipe, epoch: int, group: Group) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this process's batches of one epoch, sampled, augmented and mixed, on the group's device.

        What does not fill the last batch is left out. All depends on the recipe, the epoch and the process's
        number alone, so that a resumed run sees what an uninterrupted one would have seen. A step of several
        processes takes one stretch of the order.
        """
        generator = torch.Generator()
        order = draw_order(self.targets, recipe.sampling, generator.manual_seed(_seed(recipe.seed, epoch, 0)))
        generator.manual_seed(_seed(recipe.seed, epoch, 1 + group.rank))
        rng = np.random.default_rng((recipe.seed, epoch, group.rank))
        stride = self.batch_size * group.size
        for start in range(0, self.steps(group) * stride, stride):
            rows = order[start : start + stride][group.rank :: group.size]
            pictures, targets = self.images[rows].to(group.device), self.targets[rows].to(group.device)
            images = augment(pictures, self.size, recipe.augmentation, self.preprocessing, generator)
            if recipe.mixup:
                images, targets = mix(images, targets, recipe.mixup, rng)
            yield images.contiguous(memory_format=torch.channels_last), targets

    def in_order(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all batches as the worker would show them to the model; the last one may be smaller."""
        for start in range(0, len(self.images), self.batch_size):
            rows = slice(start, start + self.batch_size)
            rgb = self.images[rows].expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous()
            shown = preprocess(rgb.numpy(), self.preprocessing, self.size)
            yield torch.from_numpy(shown).contiguous(memory_format=torch.channels_last), self.targets[rows]


def _seed(*numbers: int) -> int:
    """Return a seed of 32 bits, the most that torch's generator looks at, from any numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
