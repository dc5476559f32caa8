import json

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.emotions import EMOTIONS
from shared.poster.expression import Prediction
from tests.training.tiny import PREPROCESSING, TinyModel
from training.batches import Batches
from training.evaluation import Report, predict
from training.metrics import score

CPU = torch.device("cpu")
RAFDB = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")


class LeftHalf(TinyModel):
    """Says how bright the left half is, as the logit of its first class."""

    def forward(self, images: Tensor) -> Prediction:
        logits = torch.zeros(len(images), 7)
        logits[:, 0] = images[:, 0, :, : images.shape[3] // 2].mean((1, 2))
        return Prediction(logits, torch.zeros(len(images), self.embedding_dim))


def half_bright() -> Batches:
    images = torch.zeros(3, 1, 48, 48, dtype=torch.uint8)
    images[:, :, :, :24] = 255
    return Batches(images, torch.zeros(3), 16, PREPROCESSING, 2)


def test_probabilities_are_in_the_order_of_the_emotions() -> None:
    probabilities = predict(LeftHalf(), RAFDB, half_bright(), CPU, flip=False)
    assert probabilities.shape == (3, 7)
    assert probabilities.sum(1).tolist() == pytest.approx([1, 1, 1])
    assert [EMOTIONS[index] for index in probabilities.argmax(1)] == ["surprise"] * 3


def test_flip_averages_with_the_mirror_image() -> None:
    first = EMOTIONS.index("surprise")
    plain = predict(LeftHalf(), RAFDB, half_bright(), CPU, flip=False)[0, first]
    mirrored = Batches(half_bright().images.flip(3), torch.zeros(3), 16, PREPROCESSING, 2)
    other = predict(LeftHalf(), RAFDB, mirrored, CPU, flip=False)[0, first]
    both = predict(LeftHalf(), RAFDB, half_bright(), CPU, flip=True)[0, first]
    assert plain > both > other
    assert both == pytest.approx((plain + other) / 2)


def test_the_model_is_left_in_evaluation_mode() -> None:
    model = TinyModel().train()
    predict(model, EMOTIONS, half_bright(), CPU, flip=True)
    assert not model.training


def report() -> Report:
    truth, predicted = np.array([0, 0, 3, 3]), np.array([0, 3, 3, 3])
    return Report("tiny", 1234, "cpu", "test", True, {"label": score(truth, predicted)})


def test_json_holds_every_figure() -> None:
    body = json.loads(report().to_json())
    assert body["model"] == "tiny"
    assert body["flip"] is True
    label = body["scores"]["label"]
    assert label["accuracy"] == 0.75
    assert label["recall"]["angry"] == 0.5
    assert label["confusion"][0] == [1, 0, 0, 1, 0, 0, 0]


def test_markdown_has_a_summary_and_the_confusion() -> None:
    text = report().to_markdown()
    assert "| label | 4 | 75.00 | 73.33 | 75.00 |" in text
    assert "| angry | 1 | 0 | 0 | 1 | 0 | 0 | 0 | 50.0 | 100.0 | 66.7 |" in text
    assert "1,234 parameters; cpu; each picture and its mirror image" in text
