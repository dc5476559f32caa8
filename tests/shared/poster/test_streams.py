import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from shared.poster.streams import (
    DenseBlock,
    LandmarkNet,
    RecognitionNet,
    RecognitionStem,
    RecognitionTop,
    ResidualUnit,
    SeparableConv,
)


def randomise(module: torch.nn.Module) -> None:
    torch.manual_seed(0)
    for parameter in module.parameters():
        parameter.data.normal_(0, 0.2)


def test_shapes_at_nanos_input() -> None:
    with torch.no_grad():
        maps = RecognitionStem()(torch.zeros(1, 3, 128, 128))
        assert maps.shape == (1, 128, 7, 7)
        assert RecognitionTop()(maps).shape == (1, 256, 3, 3)
        assert LandmarkNet().features(torch.zeros(1, 3, 112, 112)).shape == (1, 256, 7, 7)


def test_published_sizes() -> None:
    assert sum(parameter.numel() for parameter in LandmarkNet().parameters()) == 356_840
    with torch.no_grad():
        assert RecognitionNet()(torch.zeros(2, 3, 150, 150)).shape == (2, 128)
        assert LandmarkNet()(torch.zeros(2, 3, 112, 112)).shape == (2, 68, 2)


@pytest.mark.parametrize("side", [14, 15])
def test_a_down_unit_pads_right_and_below_and_new_channels_with_zeros(side: int) -> None:
    unit = ResidualUnit(2, 4, down=True)
    randomise(unit)
    x = torch.randn(1, 2, side, side)
    inner = unit.conv2(unit.conv1(x).relu())
    expected = torch.zeros(1, 4, 7, 7)
    expected[:, :, : inner.shape[2], : inner.shape[3]] += inner
    expected[:, :2] += F.avg_pool2d(x, 2)
    torch.testing.assert_close(unit(x), expected.relu())
    assert inner.shape[2] == (6 if side == 14 else 7)


def test_a_plain_unit_adds_its_input() -> None:
    unit = ResidualUnit(3, 3)
    randomise(unit)
    x = torch.randn(1, 3, 6, 6)
    torch.testing.assert_close(unit(x), (unit.conv2(unit.conv1(x).relu()) + x).relu())


@pytest.mark.parametrize(("stride", "padding"), [(1, (1, 1, 1, 1)), (2, (0, 1, 0, 1))])
def test_a_separable_convolution_is_depthwise_then_pointwise(
    stride: int, padding: tuple[int, int, int, int]
) -> None:
    conv = SeparableConv(2, 3, stride)
    randomise(conv)
    x = torch.randn(1, 2, 8, 8)
    padded = F.pad(x, padding)
    depthwise = torch.cat(
        [F.conv2d(padded[:, [i]], conv.depthwise.weight[[i]], stride=stride) for i in range(2)], dim=1
    )
    pointwise = torch.einsum("bchw,oc->bohw", depthwise, conv.pointwise.weight[:, :, 0, 0])
    bias = conv.pointwise.bias
    assert bias is not None
    found = conv(x if stride == 1 else padded)
    torch.testing.assert_close(found, pointwise + bias[:, None, None])
    assert found.shape[-2:] == (8 // stride, 8 // stride)


@pytest.mark.parametrize("first", [True, False])
def test_a_dense_block_pads_right_and_below_and_feeds_each_convolution_with_the_sum_before_it(
    first: bool,
) -> None:
    block = DenseBlock(3, 4, first=first)
    randomise(block)
    x = torch.randn(2, 3, 16, 16)
    one = block.conv0(F.pad(x, (0, 1, 0, 1))).relu()
    two = block.conv1(one)
    three = block.conv2((one + two).relu())
    four = block.conv3((one + two + three).relu())
    torch.testing.assert_close(block(x), (one + two + three + four).relu())


def test_points_are_the_mean_over_the_map() -> None:
    net = LandmarkNet()
    randomise(net)
    images = torch.randn(2, 3, 112, 112)
    points = net.features(images).mean((2, 3)) @ net.fc.weight.T + net.fc.bias
    torch.testing.assert_close(net(images), torch.stack((points[:, 0::2], points[:, 1::2]), dim=2))
