"""Batches of a data set in memory, normalised as the model's config says."""

from collections.abc import Iterator

import torch
from torch import Tensor

from shared.faces.preprocessing import preprocess
from shared.poster.config import Preprocessing
from training.augmentation import augment
from training.recipe import Augmentation


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

    @property
    def steps(self) -> int:
        """Batches of a shuffled epoch: full ones only, but one at least."""
        return max(1, len(self.images) // self.batch_size)

    def shuffled(self, ranges: Augmentation, seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the augmented batches of one epoch; what does not fill the last batch is left out.

        Order and augmentation depend on `seed` and `epoch` alone, so that a resumed run sees what an
        uninterrupted one would have seen.
        """
        generator = torch.Generator().manual_seed((seed << 16) + epoch)
        order = torch.randperm(len(self.images), generator=generator)
        mean = torch.tensor(self.preprocessing.mean)[:, None, None]
        std = torch.tensor(self.preprocessing.std)[:, None, None]
        for step in range(self.steps):
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            pixels = augment(self.images[rows], self.size, ranges, generator)
            normalised = (pixels.expand(-1, 3, -1, -1) - mean) / std
            yield normalised.contiguous(memory_format=torch.channels_last), self.targets[rows]

    def in_order(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all batches as the worker would show them to the model; the last one may be smaller."""
        for start in range(0, len(self.images), self.batch_size):
            rows = slice(start, start + self.batch_size)
            rgb = self.images[rows].expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous()
            shown = preprocess(rgb.numpy(), self.preprocessing, self.size)
            yield torch.from_numpy(shown).contiguous(memory_format=torch.channels_last), self.targets[rows]
