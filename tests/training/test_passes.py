import pytest
import torch
from torch import Tensor, nn

from shared.poster.expression import ExpressionModel, FeatureMaps
from shared.poster.nano import build_nano
from tests.training.tiny import TinyModel
from training.passes import Passes


class Counted(TinyModel):
    """Counts the passes through each half."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0)
        self.calls: list[str] = []

    def features(self, images: Tensor) -> FeatureMaps:
        self.calls.append("landmarks")
        return FeatureMaps(self.image_maps(images), images.new_zeros(len(images), 1, 1))

    def image_maps(self, images: Tensor) -> Tensor:
        self.calls.append("image")
        maps: Tensor = self.norm(self.stem(images))
        return maps


def images() -> Tensor:
    return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_landmarks_are_found_once_where_the_image_stream_is_trained() -> None:
    model = Counted()
    passes = Passes(model)
    logits, maps = passes(images(), None)
    again, _ = passes(images(), maps)
    assert model.calls == ["landmarks", "image", "image"]
    torch.testing.assert_close(again, logits)
    again.sum().backward()
    assert model.stem.weight.grad is not None


def test_nothing_frozen_is_computed_twice() -> None:
    model = Counted()
    model.stem.requires_grad_(False)
    model.norm.requires_grad_(False)
    passes = Passes(model)
    _, maps = passes(images(), None)
    assert not maps.image.requires_grad
    again, _ = passes(images(), maps)
    assert model.calls == ["landmarks", "image"]
    again.sum().backward()
    assert model.head.weight.grad is not None


@pytest.mark.parametrize("model", [build_nano(7), TinyModel()], ids=["nano", "tiny"])
def test_a_later_pass_is_a_first_pass_at_the_weights_of_then(model: ExpressionModel) -> None:
    passes = Passes(model.eval())
    shown = torch.randn(2, 3, model.input_size, model.input_size)
    before, maps = passes(shown, None)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.mul_(1.02)
    after, _ = passes(shown, maps)
    assert not torch.equal(after, before)
    torch.testing.assert_close(after, passes(shown, None)[0])
