from typing import Any

import pytest
import torch

from shared import poster
from shared.poster import build
from shared.poster.config import SIZES, Size


@pytest.mark.parametrize("size", SIZES)
def test_every_size_answers_logits_embedding_and_nothing_else(size: Size) -> None:
    with torch.device("meta"):
        model = build(size, 8)
        faces = torch.zeros(2, 3, model.input_size, model.input_size)
        logits, embedding = model(faces)
        large_faces = model(torch.zeros(2, 3, 224, 224))
    assert logits.shape == large_faces.logits.shape == (2, 8)
    assert embedding.shape == (2, model.embedding_dim)
    assert model.num_classes == 8


@pytest.mark.parametrize("size", ["nano", "small"])
def test_forward_is_the_classifier_on_the_features(size: Size) -> None:
    torch.manual_seed(0)
    model = build(size, 7).eval()
    faces = torch.randn(1, 3, model.input_size, model.input_size)
    with torch.no_grad():
        maps = model.features(faces)
        assert torch.equal(model.classify(maps).logits, model(faces).logits)
    assert maps.image.shape[2:] == ((7, 7) if size == "nano" else (14, 14))


@pytest.mark.parametrize(("size", "classes"), [("huge", 7), ("small", 1)])
def test_what_cannot_be_built_is_refused(size: Any, classes: int) -> None:
    with pytest.raises(ValueError, match=r"huge|at least 2"):
        build(size, classes)


def test_the_package_names_what_it_has() -> None:
    assert callable(poster.load)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = poster.other
