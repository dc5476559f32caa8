"""The two small pretrained streams of nano: dlib's face recognition ResNet and face-api's 68-point net.

Both take RGB images normalised as `(pixel - (122.782, 117.001, 104.298)) / 255`, float32 [B, 3, H, W].
Sources: dlib's `dlib_face_recognition_resnet_model_v1` (public domain) and `face_landmark_68_model` of
face-api (MIT), as published in the npm package `@vladmandic/face-api` 1.7.15.
"""

from collections import OrderedDict
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch programmer knows

from shared.poster.expression import FrozenStream

MEAN_RGB: Final = (122.782 / 255, 117.001 / 255, 104.298 / 255)
"""Mean of both nets' input, for pixels in 0..1."""

RECOGNITION_STAGES: Final = ((32, 3, False), (64, 4, True), (128, 3, True))
"""Width, number of units, and whether the first unit halves the map, up to the last 128-wide unit."""


class ResidualUnit(nn.Sequential):
    """dlib's residual unit; a `down` unit halves the map without padding and may add channels.

    dlib's scale and bias behind each convolution (batch norm) are part of its kernel: apart, the kernels are
    a tenth as large and the first steps of an adaptive optimizer destroy them.
    """

    conv1: nn.Conv2d
    conv2: nn.Conv2d

    def __init__(self, in_channels: int, out_channels: int, down: bool = False) -> None:
        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(in_channels, out_channels, 3, 2 if down else 1, 0 if down else 1),
                relu=nn.ReLU(),
                conv2=nn.Conv2d(out_channels, out_channels, 3, 1, 1),
            )
        )
        self.down = down

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, in, H, W] to [B, out, H', W'], H' = H // 2 in a down unit."""
        out: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        if self.down:
            x = F.avg_pool2d(x, 2)
            # An unpadded stride-2 convolution of an even map is one short of the pooled shortcut.
            out = F.pad(out, (0, x.shape[3] - out.shape[3], 0, x.shape[2] - out.shape[2]))
            x = F.pad(x, (0, 0, 0, 0, 0, out.shape[1] - x.shape[1]))
        return F.relu(out + x, inplace=True)


class RecognitionStem(nn.Sequential):
    """dlib's face recognition ResNet up to its last 128-wide unit: [B, 3, 128, 128] to [B, 128, 7, 7]."""

    def __init__(self) -> None:
        units: list[nn.Module] = []
        in_channels = 32
        for width, count, down in RECOGNITION_STAGES:
            for index in range(count):
                units.append(ResidualUnit(in_channels, width, down and index == 0))
                in_channels = width
        super().__init__(
            OrderedDict(
                conv=nn.Conv2d(3, 32, 7, 2),
                relu=nn.ReLU(),
                pool=nn.MaxPool2d(3, 2),
                units=nn.Sequential(*units),
            )
        )


class RecognitionTop(nn.Sequential):
    """The 256-wide stage behind the stem: [B, 128, 7, 7] to [B, 256, 3, 3]."""

    def __init__(self) -> None:
        super().__init__(ResidualUnit(128, 256, down=True), ResidualUnit(256, 256), ResidualUnit(256, 256))


class RecognitionNet(nn.Module):
    """The whole recognition net, the check of the import: equal faces lie close, others apart."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = RecognitionStem()
        self.top = RecognitionTop()
        self.last = ResidualUnit(256, 256, down=True)
        self.fc = nn.Linear(256, 128, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return descriptors [B, 128], about 0.45 apart within a person, 0.62 and more between two."""
        descriptors: Tensor = self.fc(self.last(self.top(self.stem(images))).mean((2, 3)))
        return descriptors


class SeparableConv(nn.Sequential):
    """A depthwise then a pointwise convolution: [B, in, H, W] to [B, out, H, W].

    With stride 2 the map comes padded, [B, in, H + 1, W + 1], and is halved.
    """

    depthwise: nn.Conv2d
    pointwise: nn.Conv2d

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        padding = 1 if stride == 1 else 0
        super().__init__(
            OrderedDict(
                depthwise=nn.Conv2d(
                    in_channels, in_channels, 3, stride, padding, groups=in_channels, bias=False
                ),
                pointwise=nn.Conv2d(in_channels, out_channels, 1),
            )
        )


class DenseBlock(nn.Module):
    """Four convolutions, each fed with the sum of all outputs before it; halves the map."""

    def __init__(self, in_channels: int, out_channels: int, first: bool = False) -> None:
        super().__init__()
        self.conv0: nn.Module = (
            nn.Conv2d(in_channels, out_channels, 3, 2)
            if first
            else SeparableConv(in_channels, out_channels, 2)
        )
        self.conv1 = SeparableConv(out_channels, out_channels)
        self.conv2 = SeparableConv(out_channels, out_channels)
        self.conv3 = SeparableConv(out_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, in, H, W], both sides even, to [B, out, H / 2, W / 2]."""
        # TensorFlow's "same" padding of a 3×3 kernel with stride 2.
        padded = F.pad(x, (0, 1, 0, 1))
        total = F.relu(self.conv0(padded), inplace=True)
        total = total + self.conv1(total)
        total = total + self.conv2(F.relu(total))
        return F.relu(total + self.conv3(F.relu(total)), inplace=True)


class LandmarkNet(FrozenStream):
    """The 68-point net, frozen: [B, 3, 112, 112] to a 7×7×256 map and 68 points."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            DenseBlock(3, 32, first=True), DenseBlock(32, 64), DenseBlock(64, 128), DenseBlock(128, 256)
        )
        self.fc = nn.Linear(256, 136)
        self.requires_grad_(False)

    def features(self, images: Tensor) -> Tensor:
        """Return the map [B, 256, 7, 7] of normalised `images`."""
        maps: Tensor = self.blocks(images)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Return points [B, 68, 2], (x, y) as fractions of width and height, in the order of iBUG 300-W."""
        points: Tensor = self.fc(self.features(images).mean((2, 3)))
        return points.reshape(-1, 68, 2)
