"""Batches of moved pictures, with their points moved as far."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from training.augmentation import change_light, draw_affine, soften_or_sharpen, warp
from training.landmarks.points import move
from training.landmarks.spec import LandmarkSpec
from training.landmarks.student import SIDE


@dataclass(frozen=True)
class Batches:
    """Pictures uint8 [N, C, S, S] and their points float32 [N, 68, 2], as fractions of the side."""

    images: Tensor
    points: Tensor
    spec: LandmarkSpec
    device: torch.device

    @property
    def steps(self) -> int:
        """Batches of an epoch: full ones only, but one at least."""
        return max(1, len(self.images) // self.spec.batch_size)

    def shuffled(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield normalised pictures [B, 3, 112, 112] and points [B, 68, 2] of one epoch, on the device.

        They depend on the seed and `epoch` alone, so that a resumed run sees what an uninterrupted one would.
        """
        generator = torch.Generator().manual_seed((self.spec.seed << 16) + epoch)
        order = torch.randperm(len(self.images), generator=generator)
        mean = torch.tensor(self.spec.mean, device=self.device)[:, None, None]
        std = torch.tensor(self.spec.std, device=self.device)[:, None, None]
        for step in range(self.steps):
            rows = order[step * self.spec.batch_size : (step + 1) * self.spec.batch_size]
            pixels, points = self._augment(rows, generator)
            normalised = (pixels.expand(-1, 3, -1, -1) - mean) / std
            yield normalised.contiguous(memory_format=torch.channels_last), points.to(self.device)

    def _augment(self, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        ranges = self.spec.augmentation
        pixels = soften_or_sharpen(self.images[rows].to(self.device).float() / 255, ranges, generator)
        pixels = change_light(pixels, ranges, generator)
        affine = draw_affine(len(rows), ranges, generator)
        return warp(pixels, affine, SIDE), move(self.points[rows], affine)
