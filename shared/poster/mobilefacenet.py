"""MobileFaceNet with 68 landmarks as outputs: POSTER's frozen landmark stream.

Source: Chen et al., "MobileFaceNets" (CCBR 2018), in the PyTorch Face Landmark implementation, whose names
the published checkpoints use.
"""

from collections import OrderedDict
from typing import Final

from torch import Tensor, nn

from shared.poster.expression import FrozenStream

LANDMARK_OUTPUTS: Final = 136
"""68 points, x and y."""


class MobileFaceNet(FrozenStream):
    """Depthwise-separable residual network; POSTER reads the 512×7×7 maps below its landmark outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _convolution(3, 64, kernel=3, stride=2)
        self.conv2_dw = _convolution(64, 64, kernel=3, groups=64)
        self.conv_23 = DepthWise(64, 64, hidden=128, stride=2)
        self.conv_3 = Residual(64, hidden=128, units=4)
        self.conv_34 = DepthWise(64, 128, hidden=256, stride=2)
        self.conv_4 = Residual(128, hidden=256, units=6)
        self.conv_45 = DepthWise(128, 128, hidden=512, stride=2)
        self.conv_5 = Residual(128, hidden=256, units=2)
        self.conv_6_sep = _convolution(128, 512, kernel=1)
        # Never called: the landmark outputs, which POSTER doesn't read, are in the published files.
        self.output_layer = nn.Sequential(
            OrderedDict(
                conv_6_dw=_convolution(512, 512, kernel=7, groups=512, padding=0, activation=False),
                flatten=nn.Flatten(),
                linear=nn.Linear(512, LANDMARK_OUTPUTS, bias=False),
                bn=nn.BatchNorm1d(LANDMARK_OUTPUTS),
            )
        )
        self.requires_grad_(False)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Return maps `[B, 512, 7, 7]` of normalised images `[B, 3, 112, 112]`."""
        maps = self.conv_3(self.conv_23(self.conv2_dw(self.conv1(images))))
        maps = self.conv_5(self.conv_45(self.conv_4(self.conv_34(maps))))
        return self.conv_6_sep(maps)  # type: ignore[no-any-return]


class DepthWise(nn.Module):
    """Widen by a 1×1 convolution, convolve each channel, project back by a 1×1 convolution."""

    def __init__(self, channels_in: int, channels: int, hidden: int, stride: int) -> None:
        super().__init__()
        self.conv = _convolution(channels_in, hidden, kernel=1)
        self.conv_dw = _convolution(hidden, hidden, kernel=3, stride=stride, groups=hidden)
        self.project = _convolution(hidden, channels, kernel=1, activation=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return `[B, channels, H/stride, W/stride]` from `[B, channels_in, H, W]`."""
        return self.project(self.conv_dw(self.conv(maps)))  # type: ignore[no-any-return]


class Residual(nn.Module):
    """Units that each add their output to their input."""

    def __init__(self, channels: int, hidden: int, units: int) -> None:
        super().__init__()
        self.model = nn.ModuleList(DepthWise(channels, channels, hidden, stride=1) for _ in range(units))

    def forward(self, maps: Tensor) -> Tensor:
        """Return a tensor of the shape of `maps`, `[B, channels, H, W]`."""
        for unit in self.model:
            maps = maps + unit(maps)
        return maps


def _convolution(
    channels_in: int,
    channels: int,
    *,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    padding: int | None = None,
    activation: bool = True,
) -> nn.Sequential:
    """Return convolution, batch normalisation and, with `activation`, PReLU, under their published names."""
    same = kernel // 2 if padding is None else padding
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(channels_in, channels, kernel, stride, same, groups=groups, bias=False),
        bn=nn.BatchNorm2d(channels),
    )
    if activation:
        layers["prelu"] = nn.PReLU(channels)
    return nn.Sequential(layers)
