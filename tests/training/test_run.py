import json
from pathlib import Path

import msgspec
import pytest
import torch

from shared.emotions import EMOTIONS
from shared.errors import DataError, ModelError
from shared.poster import checkpoints
from shared.poster.config import ModelConfig
from shared.poster.nano import PREPROCESSING, build_nano
from tests.training.conftest import write_votes
from training.recipe import Recipe
from training.run import evaluate, train

RECIPE = Recipe(target="label", epochs=1, batch_size=4)


def nano_config(labels: tuple[str, ...] = EMOTIONS) -> ModelConfig:
    return ModelConfig(
        name="start",
        size="nano",
        labels=labels,
        input_size=128,
        embedding_dim=256,
        preprocessing=PREPROCESSING,
    )


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "start"
    checkpoints.save(build_nano(7), nano_config(), folder)
    return folder


def votes_for(tree: Path) -> Path:
    columns = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    names = [file.relative_to(tree).as_posix() for file in sorted(tree.glob("*/*/*.png"))]
    counts = {name: {columns[EMOTIONS.index(name.split("/")[1])]: 10} for name in names}
    return write_votes(tree / "votes.csv", counts)


def test_train_writes_a_model_that_evaluate_measures(tree: Path, start: Path, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, target="mixed")
    votes = votes_for(tree)
    folder = train(tree, start, tmp_path / "run", recipe=recipe, votes=votes, name="trained", device="cpu")
    assert folder == tmp_path / "run" / "trained"
    model = checkpoints.load(folder)
    assert model.config is not None
    assert (model.config.name, model.config.preprocessing) == ("trained", PREPROCESSING)
    before = checkpoints.load(start).state_dict()
    after = model.state_dict()
    assert not torch.equal(after["head.linear.weight"], before["head.linear.weight"])
    frozen = [name for name in after if name.startswith("landmark.")]
    assert all(torch.allclose(after[name], before[name], atol=1e-3) for name in frozen)

    (row,) = json.loads((tmp_path / "run" / "history.json").read_text())
    assert {"epoch", "loss", "seconds", "label_accuracy", "majority_macro_f1"} <= row.keys()
    report = evaluate(tree, folder, votes=votes, flip=True, device="cpu")
    assert {name: scores.count for name, scores in report.scores.items()} == {
        "label": 14,
        "FER+ majority": 14,
    }
    assert report.device.startswith("cpu")
    assert list(evaluate(tree, folder, split="train", device="cpu").scores) == ["label"]


def test_pictures_of_the_test_split_are_not_trained_on(
    tree: Path, start: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    twin = tree / "train" / "sad" / "0.png"
    twin.write_bytes((tree / "test" / "happy" / "1.png").read_bytes())
    with caplog.at_level("INFO"):
        train(tree, start, tmp_path / "run", recipe=RECIPE, device="cpu")
    assert "left out 1 training pictures that are in the test split too" in caplog.text
    # 41 pictures are left, one of each emotion is for validation.
    assert "training nano on 34 pictures, device cpu" in caplog.text


def test_another_recipe_does_not_go_on_with_a_run(tree: Path, start: Path, tmp_path: Path) -> None:
    train(tree, start, tmp_path / "run", recipe=RECIPE, device="cpu")
    with pytest.raises(DataError, match="exists already"):
        train(tree, start, tmp_path / "run", recipe=RECIPE, device="cpu")
    other = msgspec.structs.replace(RECIPE, seed=1)
    with pytest.raises(DataError, match="holds a run with another recipe"):
        train(tree, start, tmp_path / "run", recipe=other, name="other", device="cpu")


def test_a_model_with_other_outputs_is_refused(tree: Path, tmp_path: Path) -> None:
    labels = (*EMOTIONS, "contempt")
    checkpoints.save(build_nano(8), nano_config(labels), tmp_path / "eight")
    with pytest.raises(DataError, match=r"start gives .*contempt: training takes the seven emotions"):
        train(tree, tmp_path / "eight", tmp_path / "run", recipe=RECIPE, device="cpu")


def test_nothing_is_left_of_a_run_that_cannot_begin(tmp_path: Path, start: Path) -> None:
    with pytest.raises(DataError, match="train is missing"):
        train(tmp_path, start, tmp_path / "run", recipe=RECIPE, device="cpu")
    with pytest.raises(ModelError, match="is no model folder"):
        train(tmp_path, tmp_path / "none", tmp_path / "run", recipe=RECIPE, device="cpu")
    assert not (tmp_path / "run").exists()
