import torch
from torch import nn

from shared.poster.ir50 import IR50


def whole(stream: IR50, images: torch.Tensor) -> torch.Tensor:
    return stream.body(stream.input_layer(images))  # type: ignore[no-any-return]


def norms(stream: IR50) -> list[nn.BatchNorm2d]:
    return [layer for layer in stream.body.modules() if isinstance(layer, nn.BatchNorm2d)]


def test_a_batch_gives_the_maps_of_the_layers_in_order() -> None:
    torch.manual_seed(0)
    stream, images = IR50().eval(), torch.randn(3, 3, 112, 112)
    with torch.inference_mode():
        maps = stream(images)
        assert maps.shape == (3, 256, 14, 14)
        torch.testing.assert_close(maps, whole(stream, images))
        assert len(stream(images[:0])) == 0


def test_batch_norms_learn_from_the_whole_batch() -> None:
    torch.manual_seed(0)
    stream, images = IR50().train(), torch.randn(3, 3, 112, 112)
    with torch.no_grad():
        expected = whole(stream, images)
        first = [norm.running_mean.clone() for norm in norms(stream) if norm.running_mean is not None]
        for norm in norms(stream):
            norm.reset_running_stats()
        first_norm = stream.input_layer[1]
        assert isinstance(first_norm, nn.BatchNorm2d)
        first_norm.reset_running_stats()
        torch.testing.assert_close(stream(images), expected)
    for norm, mean in zip(norms(stream), first, strict=True):
        assert norm.running_mean is not None
        torch.testing.assert_close(norm.running_mean, mean)
