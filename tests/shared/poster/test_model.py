import json
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from shared.poster.cam import predict_with_cam
from shared.poster.model import Poster
from tests.shared.poster.conftest import formula_poster
from tests.shared.poster.golden import CAM_CLASS, GOLDEN, Golden


@pytest.fixture(scope="module", params=GOLDEN)
def sized(request: pytest.FixtureRequest) -> tuple[Poster, Golden]:
    return formula_poster(request.param), GOLDEN[request.param]


def test_every_size_answers_as_the_published_code(sized: tuple[Poster, Golden], images: torch.Tensor) -> None:
    model, golden = sized
    logits, embedding, cam = predict_with_cam(model, images, torch.tensor([CAM_CLASS, CAM_CLASS]))
    assert_close(logits, torch.tensor(golden.logits), rtol=1e-4, atol=1e-5)
    assert_close(embedding[:, :4], torch.tensor(golden.embedding_first_4), rtol=1e-4, atol=1e-5)
    assert_close(embedding.norm(dim=1), torch.tensor(golden.embedding_norm), rtol=1e-4, atol=0)
    assert_close(cam[0, 7], torch.tensor(golden.cam_image_0_row_7), rtol=1e-4, atol=1e-4)
    assert_close(cam.sum(dim=(1, 2)), torch.tensor(golden.cam_sum), rtol=1e-4, atol=0)


def test_every_size_has_the_published_number_of_parameters(sized: tuple[Poster, Golden]) -> None:
    model, golden = sized
    counts = {parameter: parameter.numel() for parameter in model.parameters()}
    assert sum(counts.values()) == golden.parameters
    assert sum(count for parameter, count in counts.items() if parameter.requires_grad) == golden.trainable


def test_large_costs_what_the_published_code_costs() -> None:
    with torch.device("meta"):
        model = Poster(depth=8, num_classes=7)
        with FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, 3, 224, 224))
    assert counter.get_total_flops() / 1e9 == pytest.approx(15.71, abs=0.005)


@pytest.mark.shared
def test_large_has_the_names_and_shapes_of_the_published_checkpoint(shared_data: Path) -> None:
    published = json.loads((shared_data / "poster_published_keys.json").read_text())["tensors"]
    with torch.device("meta"):
        model = Poster(depth=8, num_classes=7)
    assert {name: list(tensor.shape) for name, tensor in model.state_dict().items()} == published


def test_224_pixels_are_seen_as_every_second_of_them(small: Poster, images: torch.Tensor) -> None:
    with torch.no_grad():
        assert_close(small(images).logits, small(images[..., ::2, ::2]).logits)


def test_channels_last_images_answer_as_contiguous_ones(small: Poster, images: torch.Tensor) -> None:
    with torch.no_grad():
        contiguous = small(images)
        channels_last = small(images.to(memory_format=torch.channels_last))
    assert_close(channels_last.embedding, contiguous.embedding, rtol=1e-3, atol=1e-4)


def test_training_leaves_the_landmark_stream_as_it_is(images: torch.Tensor) -> None:
    model = Poster(depth=1, num_classes=7).train()
    before = {name: tensor.clone() for name, tensor in model.face_landback.state_dict().items()}
    image_statistics = model.ir_back.state_dict()["input_layer.1.running_mean"].clone()
    model(images).logits.sum().backward()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.face_landback.state_dict().items())
    assert all(parameter.grad is None for parameter in model.face_landback.parameters())
    assert not torch.equal(model.ir_back.state_dict()["input_layer.1.running_mean"], image_statistics)
    assert model.head.linear.weight.grad is not None
    assert all(parameter.grad is not None for parameter in model.ir_back.body.parameters())


def test_eight_classes_give_eight_logits(images: torch.Tensor) -> None:
    model = Poster(depth=1, num_classes=8).eval()
    with torch.no_grad():
        logits, embedding = model(images)
    assert (logits.shape, embedding.shape) == ((2, 8), (2, 512))
