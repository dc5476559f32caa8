import numpy as np
import pytest
import torch
from torch import Tensor

from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.poster.expression import Prediction
from tests.training.tiny import PREPROCESSING, TinyModel
from training.batches import Batches
from training.evaluation.prediction import columns_for, predict, restrict

CPU = torch.device("cpu")
RAFDB = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
EIGHT = (*EMOTIONS, "contempt")


class LeftHalf(TinyModel):
    """Says how bright the left half is, as the logit of its first class."""

    def forward(self, images: Tensor) -> Prediction:
        logits = torch.zeros(len(images), self.num_classes)
        logits[:, 0] = images[:, 0, :, : images.shape[3] // 2].mean((1, 2))
        return Prediction(logits, torch.zeros(len(images), self.embedding_dim))


def half_bright() -> Batches:
    images = torch.zeros(3, 1, 48, 48, dtype=torch.uint8)
    images[:, :, :, :24] = 255
    return Batches(images, torch.zeros(3), 16, PREPROCESSING, 2)


def test_probabilities_are_in_the_order_of_the_labels() -> None:
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


def test_a_model_of_eight_is_read_with_and_without_contempt() -> None:
    model = LeftHalf()
    model.num_classes = 8
    eight = predict(model, EIGHT, half_bright(), CPU, flip=False, labels=EIGHT)
    seven = predict(model, EIGHT, half_bright(), CPU, flip=False)
    assert (eight.shape, seven.shape) == ((3, 8), (3, 7))
    assert restrict(eight, EIGHT, EMOTIONS) == pytest.approx(seven)


def test_restricted_probabilities_sum_to_one_and_follow_the_names() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [np.nan] * 3], np.float32)
    kept = restrict(probabilities, ("sad", "happy", "fear"), ("fear", "sad"))
    assert kept[0] == pytest.approx([2 / 7, 5 / 7])
    assert np.isnan(kept[1]).all()


def test_a_label_that_the_model_does_not_know_is_named() -> None:
    assert columns_for(EIGHT, RAFDB) == [EIGHT.index(label) for label in RAFDB]
    with pytest.raises(DataError, match="has the label contempt, the model only knows surprise, fear"):
        columns_for(RAFDB, EIGHT)
