"""Augmentation of a whole batch at once, on tensors: one affine warp brings it to the model's size too."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch programmer knows

from training.recipe import Augmentation


def augment(images: Tensor, size: int, ranges: Augmentation, generator: torch.Generator) -> Tensor:
    """Return float32 [B, C, size, size] in 0..1 from uint8 [B, C, H, W]; random numbers from `generator`."""
    pixels = images.float() / 255
    pixels = soften_or_sharpen(pixels, ranges, generator)
    pixels = change_light(pixels, ranges, generator)
    pixels = warp(pixels, draw_affine(len(images), ranges, generator), size)
    return erase(pixels, ranges, generator)


def draw_affine(count: int, ranges: Augmentation, generator: torch.Generator) -> Tensor:
    """Draw float32 [count, 2, 3]: from places in the result to places in the picture, both in -1..1."""
    angle = math.radians(ranges.degrees) * _signed(count, generator)
    scale = 1 + ranges.scale * _signed(count, generator)
    # Places span two units, shifts are fractions of the width.
    shift = 2 * ranges.shift * _signed(count, generator, 2)
    mirror = 1 - 2 * (torch.rand(count, generator=generator) < ranges.flip).float()
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    rows = torch.stack((cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]), dim=1)
    return rows.reshape(-1, 2, 3)


def warp(pixels: Tensor, affine: Tensor, size: int) -> Tensor:
    """Sample [B, C, size, size] from `pixels` [B, C, H, W], bilinear; black outside, as after alignment."""
    grid = F.affine_grid(affine, [len(pixels), pixels.shape[1], size, size], align_corners=False)
    return F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def soften_or_sharpen(pixels: Tensor, ranges: Augmentation, generator: torch.Generator) -> Tensor:
    """Move each picture towards its blurred self, or away from it; half of them are left as they are."""
    kernel = torch.tensor([1.0, 2.0, 1.0])
    kernel = (kernel[:, None] * kernel / 16).expand(pixels.shape[1], 1, 3, 3)
    padded = F.pad(pixels, (1, 1, 1, 1), mode="replicate")
    blurred = F.conv2d(padded, kernel, groups=pixels.shape[1])
    draw = _signed(len(pixels), generator)
    amount = torch.where(draw > 0, draw * ranges.blur, draw * ranges.sharpen)
    amount = amount * (torch.rand(len(pixels), generator=generator) < 0.5)
    return torch.lerp(pixels, blurred, amount[:, None, None, None]).clamp(0, 1)


def change_light(pixels: Tensor, ranges: Augmentation, generator: torch.Generator) -> Tensor:
    """Change contrast about each picture's mean, and brightness."""
    contrast = (1 + ranges.contrast * _signed(len(pixels), generator))[:, None, None, None]
    brightness = (ranges.brightness * _signed(len(pixels), generator))[:, None, None, None]
    mean = pixels.mean((1, 2, 3), keepdim=True)
    return ((pixels - mean) * contrast + mean + brightness).clamp(0, 1)


def erase(pixels: Tensor, ranges: Augmentation, generator: torch.Generator) -> Tensor:
    """Fill one rectangle of some pictures with an even grey (Zhong et al., "Random Erasing", AAAI 2020)."""
    count, size = len(pixels), pixels.shape[-1]
    chosen = torch.rand(count, generator=generator) < ranges.erase
    low, high = ranges.erase_area
    area = low + (high - low) * torch.rand(count, generator=generator)
    ratio = torch.exp(math.log(2) * _signed(count, generator))
    height, width = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    top = (1 - height) * torch.rand(count, generator=generator)
    left = (1 - width) * torch.rand(count, generator=generator)
    shade = torch.rand(count, generator=generator)[:, None, None, None]
    places = (torch.arange(size) + 0.5) / size
    rows = (places >= top[:, None]) & (places < (top + height)[:, None])
    columns = (places >= left[:, None]) & (places < (left + width)[:, None])
    inside = (rows[:, :, None] & columns[:, None, :] & chosen[:, None, None])[:, None]
    return torch.where(inside, shade, pixels)


def _signed(count: int, generator: torch.Generator, *more: int) -> Tensor:
    """Draw from -1..1."""
    return 2 * torch.rand(count, *more, generator=generator) - 1
