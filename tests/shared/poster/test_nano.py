import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from shared.poster.nano import PREPROCESSING, Nano, build_nano
from shared.poster.streams import MEAN_RGB


@pytest.fixture(scope="module")
def nano() -> Nano:
    torch.manual_seed(0)
    return build_nano(7).eval()


def test_at_most_six_million_parameters(nano: Nano) -> None:
    assert sum(parameter.numel() for parameter in nano.parameters()) <= 6_000_000


def test_at_most_1200_million_operations_a_face(nano: Nano) -> None:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        nano(torch.zeros(1, 3, 128, 128))
    assert 100_000_000 < counter.get_total_flops() <= 1_200_000_000


@pytest.mark.parametrize("side", [112, 128, 224])
def test_takes_faces_of_any_side(nano: Nano, side: int) -> None:
    with torch.no_grad():
        logits, embedding = nano(torch.randn(2, 3, side, side))
    assert logits.shape == (2, 7)
    assert embedding.shape == (2, nano.embedding_dim)
    assert logits.isfinite().all()


def test_a_larger_face_is_seen_as_the_same_face_scaled(nano: Nano) -> None:
    face = torch.nn.functional.interpolate(torch.randn(1, 3, 8, 8), size=224, mode="bicubic")
    scaled = torch.nn.functional.interpolate(face, size=128, mode="bilinear", antialias=True)
    with torch.no_grad():
        large, small = nano.features(face), nano.features(scaled)
    torch.testing.assert_close(large.image, small.image)
    # The landmark stream scales from what it is given: its two ways to 112 differ by a little.
    assert torch.nn.functional.cosine_similarity(large.landmark.flatten(), small.landmark.flatten(), 0) > 0.99


def test_maps_are_seven_by_seven_with_as_many_landmark_tokens(nano: Nano) -> None:
    maps = nano.features(torch.randn(2, 3, 128, 128))
    assert maps.image.shape == (2, 128, 7, 7)
    assert maps.landmark.shape == (2, 49, 256)
    assert maps.image.requires_grad
    assert not maps.landmark.requires_grad


def test_forward_is_classify_on_features(nano: Nano) -> None:
    images = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        whole, parts = nano(images), nano.classify(nano.features(images))
    assert torch.equal(whole.logits, parts.logits)
    assert torch.equal(whole.embedding, parts.embedding)


def test_both_streams_reach_the_logits(nano: Nano) -> None:
    maps = nano.features(torch.randn(2, 3, 128, 128))
    leaves = [leaf.detach().requires_grad_() for leaf in maps]
    nano.classify(type(maps)(*leaves)).logits[:, 0].sum().backward()  # type: ignore[no-untyped-call]
    assert all(leaf.grad is not None and leaf.grad.abs().sum() > 0 for leaf in leaves)


def test_the_landmark_stream_is_frozen() -> None:
    model = build_nano(7).train()
    assert model.training
    assert not any(module.training for module in model.landmark.modules())
    assert not any(parameter.requires_grad for parameter in model.landmark.parameters())
    assert all(
        parameter.requires_grad
        for name, parameter in model.named_parameters()
        if not name.startswith("landmark.")
    )


def test_preprocessing_is_the_streams_normalisation() -> None:
    assert [255 * mean for mean in PREPROCESSING.mean] == pytest.approx([122.782, 117.001, 104.298])
    assert PREPROCESSING.mean == MEAN_RGB
    assert PREPROCESSING.std == (1, 1, 1)
