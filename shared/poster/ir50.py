"""IR-50 without its fourth stage: POSTER's image stream.

Source: Deng et al., "ArcFace" (CVPR 2019), section 3.2, in the face.evoLVe implementation, whose names the
published checkpoints use.
"""

from itertools import chain
from typing import Final

import torch
from torch import Tensor, nn

STAGES: Final = ((64, 64, 3), (64, 128, 4), (128, 256, 14))
"""Channels in, channels out and units of each stage; the first unit of a stage strides 2."""


class Subsample(nn.Module):
    """Keep every `stride`-th row and column: the published code's max pooling of single pixels."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, maps: Tensor) -> Tensor:
        """Return a view `[B, C, H/stride, W/stride]` of `maps` `[B, C, H, W]`."""
        return maps[:, :, :: self.stride, :: self.stride]


class BottleneckIR(nn.Module):
    """The improved residual unit: normalise, convolve, PReLU, convolve with the stride, normalise; add."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module
        if channels_in == channels:
            self.shortcut_layer = Subsample(stride)
        else:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(channels_in),
            nn.Conv2d(channels_in, channels, 3, 1, 1, bias=False),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return `[B, channels, H/stride, W/stride]` from `[B, channels_in, H, W]`."""
        return self.res_layer(maps) + self.shortcut_layer(maps)  # type: ignore[no-any-return]


class IR50(nn.Module):
    """Three stages of residual units, 21 in all; the last, `body[20]`, is the localisation layer."""

    def __init__(self) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        )
        # Never called: the published files carry the layers that made a face descriptor of the fourth stage.
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512), nn.Dropout(0.4), nn.Flatten(), nn.Linear(25088, 512), nn.BatchNorm1d(512)
        )
        self.body = nn.Sequential(*chain.from_iterable(_stage(*stage) for stage in STAGES))
        self.apply(init_convolutional)

    def forward(self, images: Tensor) -> Tensor:
        """Return maps `[B, 256, 14, 14]` of normalised images `[B, 3, 112, 112]`."""
        widest = nn.Sequential(self.input_layer, self.body[0])
        return self.body[1:](_one_by_one(widest, images))  # type: ignore[no-any-return]


def init_convolutional(module: nn.Module) -> None:
    """Set convolutions and linear layers to Xavier uniform weights; no bias; for `Module.apply`."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _stage(channels_in: int, channels: int, units: int) -> list[BottleneckIR]:
    first = BottleneckIR(channels_in, channels, stride=2)
    return [first, *(BottleneckIR(channels, channels, stride=1) for _ in range(units - 1))]


def _one_by_one(layers: nn.Module, images: Tensor) -> Tensor:
    """Return `layers(images)`; on a CPU each image alone, for maps so wide that a batch's leave its cache."""
    norms = (layer for layer in layers.modules() if isinstance(layer, nn.BatchNorm2d))
    if images.device.type != "cpu" or any(norm.training for norm in norms):
        return layers(images)  # type: ignore[no-any-return]
    return torch.cat([layers(image) for image in torch.split(images, 1)])
