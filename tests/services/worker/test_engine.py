import copy
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.worker.engine import FaceCrop, PosterEngine, Predictions
from shared.emotions import EMOTIONS, LABEL_SETS
from shared.errors import ModelError
from shared.faces.alignment import TEMPLATE, Landmarks
from shared.faces.landmarks import BoxAligner
from shared.poster import build
from shared.poster.config import ModelConfig, Preprocessing
from shared.poster.expression import ExpressionModel, FeatureMaps, Prediction
from tests.services.worker.made import picture

CPU = torch.device("cpu")
PROBABILITIES = {
    "angry": 0.05, "disgust": 0.1, "fear": 0.15, "happy": 0.2,
    "neutral": 0.08, "sad": 0.3, "surprise": 0.12, "contempt": 0.9,
}  # fmt: skip


class Known(ExpressionModel):
    """Says the same of every face, in the order of its labels; each output looks at a place of its own."""

    input_size = 8
    embedding_dim = 4

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        self.num_classes = len(labels)
        self.logits = nn.Parameter(torch.tensor([PROBABILITIES[label] for label in labels]).log() + 5)
        self.config = ModelConfig(
            name="known",
            size="nano",
            labels=tuple(labels),
            input_size=8,
            embedding_dim=4,
            preprocessing=Preprocessing(mean=(0, 0, 0), std=(1, 1, 1)),
        )
        self.id = "known@12345678"

    def features(self, images: Tensor) -> FeatureMaps:
        maps = torch.eye(self.num_classes)[:, None].expand(len(images), -1, -1, -1)
        return FeatureMaps(maps.clone(), images.mean((1, 2, 3))[:, None, None])

    def classify(self, maps: FeatureMaps) -> Prediction:
        embedding = maps.landmark[:, 0] * torch.tensor([3.0, 0, 4.0, 0])
        return Prediction(maps.image.sum((2, 3)) * self.logits, embedding)


class Bright(Known):
    """Is the sadder the brighter the face."""

    def classify(self, maps: FeatureMaps) -> Prediction:
        sad = torch.tensor([label == "sad" for label in EMOTIONS])
        return Prediction(maps.landmark[:, 0] * sad, super().classify(maps).embedding)


class Fixed:
    """Finds a template's points in crops of 224 pixels, and nothing in others."""

    def find(self, crops: Sequence[NDArray[np.uint8]], margins: Sequence[float]) -> Landmarks:
        assert len(margins) == len(crops)
        found = np.array([len(crop) == 224 for crop in crops])
        return Landmarks(np.where(found[:, None, None], TEMPLATE, 0).astype(np.float32), found)


def _crops(count: int, *, explained: Sequence[int] = (), side: int = 96) -> list[FaceCrop]:
    return [FaceCrop(picture(seed, side), 0.25, seed in explained) for seed in range(count)]


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS.keys())
def test_outputs_are_mapped_from_the_models_own_order(labels: tuple[str, ...]) -> None:
    predictions = PosterEngine(Known(labels), Fixed(), CPU, torch.float32, 95).predict(
        _crops(2, explained=[1])
    )
    np.testing.assert_allclose(
        predictions.probabilities, [[PROBABILITIES[one] for one in EMOTIONS]] * 2, rtol=1e-5
    )
    (looked_at,) = np.argwhere(predictions.cams[0].max(axis=0) == 255)[0]
    assert labels[looked_at] == "sad"
    np.testing.assert_allclose(predictions.embeddings, [[0.6, 0, 0.8, 0]] * 2, rtol=1e-5)


def test_a_face_with_landmarks_is_aligned_and_one_without_is_cut_to_its_box() -> None:
    # Grey, because JPEG halves the resolution of colour.
    with_landmarks, without = (picture(side, side)[..., :1].repeat(3, axis=2) for side in (224, 96))
    engine = PosterEngine(Known(EMOTIONS), Fixed(), CPU, torch.float32, 100)
    predictions = engine.predict([FaceCrop(with_landmarks, 0.5, True), FaceCrop(without, 0.5, True)])
    assert predictions.aligned.tolist() == [True, False]
    whole, box = (_decode(portrait) for portrait in predictions.portraits)
    assert np.abs(whole.astype(int) - with_landmarks[::28, ::28]).mean() < 8
    assert np.abs(box.astype(int) - without[24:72:6, 24:72:6]).mean() < 8


def _decode(portrait: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def test_a_model_without_config_is_refused() -> None:
    with pytest.raises(ModelError, match=r"without config\.json"):
        PosterEngine(build("nano", 7), Fixed(), CPU, torch.float32, 95)


@pytest.fixture(scope="module")
def nano() -> PosterEngine:
    torch.manual_seed(0)
    model = build("nano", 8).eval()
    model.config = ModelConfig(
        name="random",
        size="nano",
        labels=LABEL_SETS["affectnet8"],
        input_size=model.input_size,
        embedding_dim=model.embedding_dim,
        preprocessing=Preprocessing(channels="grey", resample=48, zoom=1.1),
    )
    model.id = "random@00000000"
    return PosterEngine(model, BoxAligner(CPU), CPU, torch.float32, 95)


@pytest.fixture(scope="module")
def eight(nano: PosterEngine) -> Predictions:
    return nano.predict(_crops(8, explained=[0, 5, 6]))


def test_a_real_model_says_something_of_each_face(eight: Predictions) -> None:
    assert eight.probabilities.shape == (8, 7)
    np.testing.assert_allclose(eight.probabilities.sum(axis=1), 1, atol=1e-6)
    assert (eight.probabilities >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(eight.embeddings, axis=1), 1, atol=1e-6)
    assert eight.cams.shape == (3, 7, 7)
    assert eight.cams.dtype == np.uint8
    assert {_decode(portrait).shape for portrait in eight.portraits} == {(128, 128, 3)}
    assert len({tuple(row) for row in eight.embeddings.tolist()}) == 8


@pytest.mark.parametrize("explained", [[], [0, 5, 6], range(8)])
def test_an_answer_does_not_depend_on_the_batch_or_on_being_explained(
    nano: PosterEngine, eight: Predictions, explained: Sequence[int]
) -> None:
    for index, crop in enumerate(_crops(8, explained=explained)):
        alone = nano.predict([crop])
        np.testing.assert_allclose(alone.probabilities[0], eight.probabilities[index], atol=1e-4)
        np.testing.assert_allclose(alone.embeddings[0], eight.embeddings[index], atol=1e-4)
        assert (len(alone.cams), len(alone.portraits)) == ((1, 1) if crop.explain else (0, 0))
    for index, place in zip((0, 5, 6), range(3), strict=True):
        alone = nano.predict([FaceCrop(picture(index, 96), 0.25, explain=True)])
        assert np.abs(alone.cams[0].astype(int) - eight.cams[place]).max() <= 2
        assert alone.portraits[0] == eight.portraits[place]


def test_more_faces_than_go_through_the_streams_at_once_keep_their_order() -> None:
    engine = PosterEngine(Bright(EMOTIONS), Fixed(), CPU, torch.float32, 95)
    shades = np.linspace(40, 250, 37).astype(np.uint8)
    crops = [FaceCrop(np.full((224, 224, 3), shade, np.uint8), 0.25, explain=False) for shade in shades]
    sad = engine.predict(crops).probabilities[:, EMOTIONS.index("sad")]
    assert (np.diff(sad) > 0).all()


def test_in_bfloat16_it_says_the_same_within_its_rounding() -> None:
    torch.manual_seed(0)
    model = build("small", 7).eval()
    model.config = ModelConfig(
        name="random",
        size="small",
        labels=EMOTIONS,
        input_size=model.input_size,
        embedding_dim=model.embedding_dim,
        preprocessing=Preprocessing(),
    )
    model.id = "random@00000001"
    crops = _crops(3, explained=[0, 1, 2])
    exact = PosterEngine(copy.deepcopy(model), Fixed(), CPU, torch.float32, 95).predict(crops)
    rounded = PosterEngine(model, Fixed(), CPU, torch.bfloat16, 95).predict(crops)
    assert {each.dtype for each in model.parameters()} == {torch.bfloat16, torch.float32}
    np.testing.assert_allclose(rounded.probabilities, exact.probabilities, atol=0.01)
    assert ((rounded.embeddings * exact.embeddings).sum(axis=1) > 0.999).all()
    for one, other in zip(rounded.cams, exact.cams, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.98
