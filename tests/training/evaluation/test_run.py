import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.errors import DataError, ModelError
from shared.poster import checkpoints
from shared.poster.config import ModelConfig
from shared.poster.nano import PREPROCESSING, build_nano
from tests.training.conftest import write_picture, write_tree, write_votes
from training.datasets import open_dataset
from training.evaluation.run import Pictures, evaluate, evaluate_as_shipped

EIGHT = (*EMOTIONS, "contempt")
COMMAND = "reelmood evaluate"


def make_model(folder: Path, labels: tuple[str, ...]) -> Path:
    """Make a model that says happy of everything."""
    torch.manual_seed(0)
    model = build_nano(len(labels))
    with torch.no_grad():
        model.head.linear.bias[labels.index("happy")] = 100
    config = ModelConfig(
        name="start",
        size="nano",
        labels=labels,
        input_size=128,
        embedding_dim=256,
        preprocessing=PREPROCESSING,
    )
    checkpoints.save(model, config, folder)
    return folder


@pytest.fixture(scope="module")
def happy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "start", EMOTIONS)


@pytest.fixture(scope="module")
def happy_of_eight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "start", EIGHT)


@pytest.fixture
def tree_of_eight(tree: Path) -> Path:
    for split in ("train", "test"):
        write_picture(tree / split / "contempt" / "0.png", 1000)
    return tree


class Product:
    """Says happy of every frame, but finds no face in the first of all."""

    model, parameters, device = "product@00000000", 5, "cpu"

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        answers = np.tile(np.eye(7, dtype=np.float32)[EMOTIONS.index("happy")], (len(frames), 1))
        if not self.shapes:
            answers[0] = np.nan
        self.shapes += [frame.shape for frame in frames]
        return answers


def test_a_model_is_measured_against_labels_and_votes(tree: Path, happy: Path, tmp_path: Path) -> None:
    # Two of the seven test pictures that are labelled otherwise got most votes for happiness.
    names = [file.relative_to(tree).as_posix() for file in sorted(tree.glob("test/*/*.png"))]
    counts = {name: {"NF": 10} for name in names} | {
        "test/sad/0.png": {"happiness": 6, "sadness": 4},
        "test/fear/1.png": {"happiness": 9, "contempt": 1},
        "test/happy/0.png": {"neutral": 6, "contempt": 4},
        "test/angry/1.png": {"anger": 5, "happiness": 5},
    }
    votes = write_votes(tmp_path / "votes.csv", counts)
    report = evaluate(Pictures("fer2013", tree, votes=votes), happy, COMMAND, flip=True, device="cpu")
    label, majority = report.measurements["label"].scores, report.measurements["FER+ majority"].scores
    assert (label.count, label.accuracy) == (14, 2 / 14)
    assert (majority.count, majority.accuracy) == (3, 2 / 3)
    assert report.provenance.model.startswith("start@")
    assert report.provenance.view == "crops, each and its mirror image"
    assert report.provenance.data == "fer2013 test"
    assert report.provenance.versions["torch"] == torch.__version__.partition("+")[0]


def test_the_fingerprint_is_that_of_the_data_set(tree: Path, happy: Path) -> None:
    report = evaluate(Pictures("fer2013", tree), happy, COMMAND, device="cpu")
    assert report.provenance.fingerprint == open_dataset("fer2013", tree, 8, grey=True).fingerprint


def test_aligned_faces_are_the_same_number_of_pictures(tree: Path, happy: Path, tmp_path: Path) -> None:
    report = evaluate(
        Pictures("fer2013", tree, "train"), happy, COMMAND, align=True, device="cpu", cache=tmp_path / "cache"
    )
    assert report.measurements["label"].scores.count == 42
    assert report.provenance.view == "crops, aligned by MTCNN, each as it is"
    assert list((tmp_path / "cache").iterdir())


def test_label_sets_are_mapped_by_name(tree_of_eight: Path, happy_of_eight: Path, tmp_path: Path) -> None:
    pictures = Pictures("folder", tree_of_eight)
    scores = evaluate(pictures, happy_of_eight, COMMAND, device="cpu").measurements["label"].scores
    assert (scores.labels, scores.count, scores.accuracy) == (EIGHT, 15, 2 / 15)
    seven = evaluate(
        Pictures("folder", write_tree(tmp_path / "seven")), happy_of_eight, COMMAND, device="cpu"
    )
    assert seven.measurements["label"].scores.labels == EMOTIONS


def test_votes_for_contempt_count_for_a_model_that_knows_it(
    tree: Path, happy_of_eight: Path, tmp_path: Path
) -> None:
    names = [file.relative_to(tree).as_posix() for file in sorted(tree.glob("test/*/*.png"))]
    votes = write_votes(tmp_path / "votes.csv", {name: {"contempt": 9, "sadness": 1} for name in names})
    report = evaluate(Pictures("fer2013", tree, votes=votes), happy_of_eight, COMMAND, device="cpu")
    assert report.measurements["FER+ majority"].scores.count == 0
    eight = report.measurements["FER+ majority with contempt"].scores
    assert (eight.labels, eight.count, eight.support[7]) == (EIGHT, 14, 14)


def test_what_does_not_fit_is_one_clear_error(tree_of_eight: Path, happy: Path, tmp_path: Path) -> None:
    def measure(pictures: Pictures, model: Path = happy) -> None:
        evaluate(pictures, model, COMMAND, device="cpu")

    with pytest.raises(DataError, match="has the label contempt, the model only knows angry"):
        measure(Pictures("folder", tree_of_eight))
    with pytest.raises(DataError, match="nowhere is missing"):
        measure(Pictures("fer2013", tmp_path / "nowhere"))
    with pytest.raises(DataError, match="has no test split"):
        measure(Pictures("folder", tree_of_eight / "train"))
    with pytest.raises(DataError, match="are votes for FER2013, not for folder"):
        evaluate_as_shipped(Pictures("folder", tree_of_eight, votes=tmp_path), Product(), COMMAND)
    with pytest.raises(ModelError, match="is no model folder"):
        measure(Pictures("folder", tree_of_eight), tmp_path / "none")


def test_as_shipped_the_product_reads_frames(tree_of_eight: Path) -> None:
    product = Product()
    report = evaluate_as_shipped(Pictures("folder", tree_of_eight), product, COMMAND)
    scores = report.measurements["label"].scores
    # The picture of contempt doesn't count: the product tells seven emotions. That without a face does.
    assert (scores.labels, scores.count) == (EMOTIONS, 14)
    assert scores.accuracy == 2 / 14
    assert scores.missed.tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert set(product.shapes) == {(240, 240, 3)}
    body = json.loads(report.to_json())
    assert (body["model"], body["device"], body["command"]) == ("product@00000000", "cpu", COMMAND)
    assert body["view"].startswith("as shipped")
