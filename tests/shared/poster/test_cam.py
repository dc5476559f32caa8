import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torch.testing import assert_close

from shared.poster.cam import predict_with_cam
from shared.poster.expression import ExpressionModel, FeatureMaps, Prediction
from shared.poster.model import Poster


class LogitsOnly(nn.Module):
    def __init__(self, model: ExpressionModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(images).logits
        return logits


class Means(ExpressionModel):
    """The logits are `signs` times the mean of the picture, so that the CAM is known."""

    input_size = 4
    embedding_dim = 1

    def __init__(self, signs: list[float]) -> None:
        super().__init__()
        self.signs = torch.tensor(signs)
        self.num_classes = len(signs)

    def features(self, images: torch.Tensor) -> FeatureMaps:
        return FeatureMaps(images, images)

    def classify(self, maps: FeatureMaps) -> Prediction:
        mean = maps.image.mean(dim=(1, 2, 3))[:, None]
        return Prediction(mean * self.signs, mean)


@pytest.mark.parametrize("chosen", [[0, 5], None])
def test_the_cam_is_that_of_the_grad_cam_library(
    small: Poster, images: torch.Tensor, chosen: list[int] | None
) -> None:
    classes = None if chosen is None else torch.tensor(chosen)
    targets = None if chosen is None else [ClassifierOutputTarget(output) for output in chosen]
    logits, _, ours = predict_with_cam(small, images, classes)
    with GradCAM(LogitsOnly(small), [small.ir_back.body[20]]) as oracle:
        theirs = oracle(images, targets)
    small.zero_grad()
    enlarged = scale_cam_image(scale_cam_image(ours.numpy(), (224, 224)))
    np.testing.assert_allclose(enlarged, theirs, atol=1e-3)
    with torch.no_grad():
        assert_close(logits, small(images).logits, rtol=1e-4, atol=1e-4)


def test_a_class_that_nothing_speaks_for_has_an_empty_cam() -> None:
    picture = torch.rand(2, 3, 4, 4)
    cam = predict_with_cam(Means([1.0, -1.0]), picture, torch.tensor([0, 1])).cam
    assert_close(cam[0], picture[0].sum(dim=0) / picture[0].sum(dim=0).max())
    assert_close(cam[1], torch.zeros(4, 4))


def test_faces_of_a_batch_do_not_reach_into_each_other(small: Poster, images: torch.Tensor) -> None:
    both = predict_with_cam(small, images)
    alone = predict_with_cam(small, images[1:])
    assert_close(both.cam[1:], alone.cam, rtol=1e-3, atol=1e-4)


def test_nothing_keeps_a_graph_and_no_weight_gets_a_gradient(small: Poster, images: torch.Tensor) -> None:
    with torch.no_grad():
        explained = predict_with_cam(small, images)
    assert not any(tensor.requires_grad for tensor in explained)
    assert all(parameter.grad is None for parameter in small.parameters())
    assert explained.cam.shape == (2, 14, 14)
    assert_close(explained.cam.amax(dim=(1, 2)), torch.ones(2))


def test_bf16_answers_in_float32_near_the_exact_cam(small: Poster, images: torch.Tensor) -> None:
    exact = predict_with_cam(small, images, torch.tensor([3, 3]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = predict_with_cam(small, images, torch.tensor([3, 3]))
    assert {tensor.dtype for tensor in rough} == {torch.float32}
    assert torch.nn.functional.cosine_similarity(rough.cam.flatten(1), exact.cam.flatten(1)).min() > 0.9
