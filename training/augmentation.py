"""Augmentation of a whole batch at once, on tensors: one affine warp brings it to the model's size too."""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch programmer knows

from shared.poster.config import Preprocessing
from training.lighting import draw_lighting
from training.recipe import Augmentation

ERASE_RATIO: Final = 10 / 3


def augment(
    images: Tensor, size: int, ranges: Augmentation, how: Preprocessing, generator: torch.Generator
) -> Tensor:
    """Return float32 [B, 3, size, size], normalised by mean and deviation of `how`, of uint8 [B, C, H, W].

    Computed where `images` are. Random numbers come from `generator`, on the CPU: the same on any device.
    """
    pixels = images.float() / 255
    pixels = soften_or_sharpen(pixels, ranges, generator)
    pixels = change_light(pixels, ranges, generator)
    if ranges.lighting:
        grey = pixels.shape[1] == 1
        pixels = pixels + draw_lighting(len(pixels), ranges.lighting, grey, generator).to(pixels.device)
    pixels = warp(pixels, draw_affine(len(images), ranges, generator), size)
    if ranges.erase_fill == "grey":
        pixels = erase(pixels, ranges, torch.rand(len(pixels), generator=generator), generator)
    mean, std = (torch.tensor(each, device=pixels.device)[:, None, None] for each in (how.mean, how.std))
    normalised = (pixels.expand(-1, 3, -1, -1) - mean) / std
    if ranges.erase_fill == "mean":
        normalised = erase(normalised, ranges, torch.zeros(len(pixels)), generator)
    return normalised


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
    grid = F.affine_grid(
        affine.to(pixels.device), [len(pixels), pixels.shape[1], size, size], align_corners=False
    )
    return F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def soften_or_sharpen(pixels: Tensor, ranges: Augmentation, generator: torch.Generator) -> Tensor:
    """Move each picture towards its blurred self, or away from it; half of them are left as they are."""
    kernel = torch.tensor([1.0, 2.0, 1.0], device=pixels.device)
    kernel = (kernel[:, None] * kernel / 16).expand(pixels.shape[1], 1, 3, 3)
    padded = F.pad(pixels, (1, 1, 1, 1), mode="replicate")
    blurred = F.conv2d(padded, kernel, groups=pixels.shape[1])
    draw = _signed(len(pixels), generator)
    amount = torch.where(draw > 0, draw * ranges.blur, draw * ranges.sharpen)
    amount = amount * (torch.rand(len(pixels), generator=generator) < 0.5)
    return torch.lerp(pixels, blurred, amount.to(pixels.device)[:, None, None, None]).clamp(0, 1)


def change_light(pixels: Tensor, ranges: Augmentation, generator: torch.Generator) -> Tensor:
    """Change contrast about each picture's mean, and brightness."""
    contrast = 1 + ranges.contrast * _signed(len(pixels), generator)
    brightness = ranges.brightness * _signed(len(pixels), generator)
    mean = pixels.mean((1, 2, 3), keepdim=True)
    gain, lift = (each.to(pixels.device)[:, None, None, None] for each in (contrast, brightness))
    return ((pixels - mean) * gain + mean + lift).clamp(0, 1)


def erase(pixels: Tensor, ranges: Augmentation, shades: Tensor, generator: torch.Generator) -> Tensor:
    """Fill one rectangle of some pictures with their shade of `shades` [B].

    Source: Zhong et al., "Random Erasing" (AAAI 2020), whose sides are to each other as 3 to 10 at most.
    """
    count, size = len(pixels), pixels.shape[-1]
    chosen = torch.rand(count, generator=generator) < ranges.erase
    low, high = ranges.erase_area
    area = low + (high - low) * torch.rand(count, generator=generator)
    ratio = torch.exp(math.log(ERASE_RATIO) * _signed(count, generator))
    height, width = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    top = (1 - height) * torch.rand(count, generator=generator)
    left = (1 - width) * torch.rand(count, generator=generator)
    places = (torch.arange(size) + 0.5) / size
    rows = (places >= top[:, None]) & (places < (top + height)[:, None])
    columns = (places >= left[:, None]) & (places < (left + width)[:, None])
    inside = (rows[:, :, None] & columns[:, None, :] & chosen[:, None, None])[:, None]
    return torch.where(inside.to(pixels.device), shades.to(pixels.device)[:, None, None, None], pixels)


def _signed(count: int, generator: torch.Generator, *more: int) -> Tensor:
    """Draw from -1..1."""
    return 2 * torch.rand(count, *more, generator=generator) - 1
