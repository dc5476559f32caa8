import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest
import torch

from shared import runs
from shared.emotions import EMOTIONS
from shared.errors import DataError, ModelError, ReelmoodError
from shared.poster import checkpoints
from shared.poster.config import ModelConfig, read_config
from shared.poster.folder import model_id
from shared.poster.nano import PREPROCESSING, build_nano
from tests.training.conftest import write_picture, write_votes
from training.check import read_check
from training.observer import Position, Stopped
from training.recipe import Lora, Recipe
from training.run import train
from training.spec import RunSpec

RECIPE = Recipe(target="label", epochs=1, batch_size=4)
EIGHT = (*EMOTIONS, "contempt")


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


def spec_of(tree: Path, start: Path, recipe: Recipe = RECIPE, **more: Any) -> RunSpec:
    return RunSpec(name="trained", data=str(tree), init=str(start), device="cpu", recipe=recipe, **more)


def votes_for(tree: Path) -> Path:
    columns = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    names = [file.relative_to(tree).as_posix() for file in sorted(tree.glob("*/*/*.png"))]
    counts = {name: {columns[EMOTIONS.index(name.split("/")[1])]: 10} for name in names}
    return write_votes(tree / "votes.csv", counts)


def test_a_run_leaves_a_model_with_its_record_and_check_set(tree: Path, start: Path, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, target="mixed", select="accuracy", epochs=2)
    spec = spec_of(tree, start, recipe, votes=str(votes_for(tree)))
    folder = train(spec, tmp_path / "run")
    assert folder == tmp_path / "run" / "trained"
    model = checkpoints.load(folder)
    assert model.config is not None
    assert (model.config.name, model.config.preprocessing) == ("trained", PREPROCESSING)
    before, after = checkpoints.load(start).state_dict(), model.state_dict()
    assert not torch.equal(after["head.linear.weight"], before["head.linear.weight"])
    frozen = [name for name in after if name.startswith("landmark.")]
    assert all(torch.allclose(after[name], before[name], atol=1e-3) for name in frozen)

    history = json.loads((tmp_path / "run" / "history.json").read_text())
    best = max(history, key=lambda row: row["majority_accuracy"])
    names = ("label_accuracy", "label_macro_f1", "majority_accuracy", "majority_macro_f1")
    assert model.config.metrics == {f"validation_{name}": best[name] for name in names}
    confusion = runs.read_confusion(tmp_path / "run")
    assert confusion is not None
    assert (confusion.epoch, confusion.labels) == (best["epoch"], EMOTIONS)
    for truth, counts in confusion.counts.items():
        assert np.trace(counts) / np.sum(counts) == best[f"{truth}_accuracy"]
    record = json.loads((folder / "training.json").read_text())
    assert msgspec.convert(record["spec"], RunSpec) == spec
    assert record["spec"] == json.loads((tmp_path / "run" / "spec.json").read_text())
    assert (record["base"], record["pictures"], record["epochs"]) == (model_id(start), 35, 2)
    assert record["best_epoch"] == best["epoch"]
    assert record["seconds"] == pytest.approx(sum(row["seconds"] for row in history))
    assert record["torch"] == torch.__version__
    assert len(record["fingerprint"]) == 64
    check = read_check(folder)
    assert check.images.shape == (7, 48, 48, 1)
    assert sorted(check.labels) == list(range(7))
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))


def test_a_stopped_run_goes_on_to_its_model(tree: Path, start: Path, tmp_path: Path) -> None:
    class Stopper:
        def step(self, position: Position) -> None:
            if position.epoch == 2:
                raise Stopped("as asked")

        def epoch(self, row: dict[str, float]) -> None:
            assert row["epoch"] == 1

    spec = spec_of(tree, start, msgspec.structs.replace(RECIPE, epochs=2), limit=8)
    with pytest.raises(Stopped):
        train(spec, tmp_path / "run", observe=Stopper())
    assert not (tmp_path / "run" / "trained").exists()
    folder = train(spec, tmp_path / "run")
    assert json.loads((folder / "training.json").read_text())["epochs"] == 2


def test_two_processes_share_a_run(tree: Path, start: Path, tmp_path: Path) -> None:
    class Leader:
        def __init__(self) -> None:
            self.steps = 0
            self.helpers: list[psutil.Process] = []

        def step(self, position: Position) -> None:
            self.steps = position.steps
            self.helpers = helpers()

        def epoch(self, row: dict[str, float]) -> None:
            assert row["epoch"] == 1

    leader = Leader()
    folder = train(spec_of(tree, start, limit=16, processes=2), tmp_path / "run", observe=leader)
    record = json.loads((folder / "training.json").read_text())
    assert record["processes"] == 2
    assert leader.steps == record["pictures"] // (2 * RECIPE.batch_size) > 0
    assert checkpoints.load(folder).config is not None
    assert len(leader.helpers) == 1
    assert helpers() == []


def test_the_helpers_of_a_run_that_is_stopped_end_with_it(tree: Path, start: Path, tmp_path: Path) -> None:
    class Stopper:
        def step(self, position: Position) -> None:
            raise Stopped("as asked")

        def epoch(self, row: dict[str, float]) -> None:
            raise AssertionError(row)

    with pytest.raises(Stopped):
        train(spec_of(tree, start, limit=16, processes=2), tmp_path / "run", observe=Stopper())
    assert helpers() == []


def test_a_run_ends_with_a_reason_when_a_helper_is_killed(tree: Path, start: Path, tmp_path: Path) -> None:
    class Killer:
        def step(self, position: Position) -> None:
            for helper in helpers():
                helper.kill()

        def epoch(self, row: dict[str, float]) -> None:
            raise AssertionError(row)

    with pytest.raises(ReelmoodError, match=r"a process that shares the run has ended: .*SIGKILL"):
        train(spec_of(tree, start, limit=16, processes=2), tmp_path / "run", observe=Killer())


def test_a_run_with_processes_is_not_started_by_torchrun_too(
    tree: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    with pytest.raises(DataError, match="leave --processes out"):
        train(spec_of(tree, start, processes=2), tmp_path / "run")


def helpers() -> list[psutil.Process]:
    """Return the processes beside this one that were started to share its run."""
    return [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]


def test_an_adapter_is_kept_alone_and_loads_onto_its_base(tree: Path, start: Path, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, lora=Lora(rank=2), sam_rho=0.05, schedule="exponential")
    spec = msgspec.structs.replace(spec_of(tree, start, recipe, limit=8), init="start")
    folder = train(spec, tmp_path / "run", models=start.parent)
    assert read_config(folder / "config.json").base == model_id(start)
    assert not (folder / "model.safetensors").exists()
    before = checkpoints.load(start).state_dict()
    after = checkpoints.load(folder, start.parent).state_dict()
    assert torch.equal(after["stem.conv.weight"], before["stem.conv.weight"])
    changed = [name for name in after if not torch.equal(after[name], before[name])]
    assert any("pyramid" in name for name in changed)
    assert "head.linear.weight" in changed


def test_an_adapter_must_find_its_base_by_name(tree: Path, start: Path, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, lora=Lora(rank=2))
    with pytest.raises(
        DataError, match="an adapter finds its base in the registry, where start is not there"
    ):
        train(spec_of(tree, start, recipe), tmp_path / "run", models=tmp_path)
    assert not (tmp_path / "run").exists()


def test_another_label_set_takes_a_new_head(tree: Path, start: Path, tmp_path: Path) -> None:
    for split, count in (("train", 6), ("test", 2)):
        for index in range(count):
            write_picture(tree / split / "contempt" / f"{index}.png", 1000 * count + index)
    spec = spec_of(tree, start, dataset="folder", limit=8)
    with pytest.raises(DataError, match="contempt"):
        train(spec, tmp_path / "run")
    folder = train(msgspec.structs.replace(spec, new_head=True), tmp_path / "run")
    model = checkpoints.load(folder)
    assert (model.num_classes, read_config(folder / "config.json").labels) == (8, EIGHT)


def test_pictures_of_the_test_split_are_not_trained_on(
    tree: Path, start: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    twin = tree / "train" / "sad" / "0.png"
    twin.write_bytes((tree / "test" / "happy" / "1.png").read_bytes())
    with caplog.at_level("INFO"):
        train(spec_of(tree, start), tmp_path / "run")
    assert "left out 1 training pictures that are in the test split too" in caplog.text
    # 41 pictures are left, one of each emotion is for validation.
    assert "training trained on 34 pictures, device cpu" in caplog.text


def test_another_spec_does_not_go_on_with_a_run(tree: Path, start: Path, tmp_path: Path) -> None:
    spec = spec_of(tree, start, limit=8)
    folder = train(spec, tmp_path / "run")
    with pytest.raises(DataError, match="exists already"):
        train(spec, tmp_path / "run")
    folder.rename(tmp_path / "registered")
    other = msgspec.structs.replace(RECIPE, seed=1)
    with pytest.raises(DataError, match="holds a run with another recipe or other data"):
        train(spec_of(tree, start, other), tmp_path / "run")
    (tmp_path / "run" / "spec.json").write_text("{")
    with pytest.raises(DataError, match=r"spec\.json cannot be read"):
        train(spec, tmp_path / "run")


def test_nothing_is_left_of_a_run_that_cannot_begin(tmp_path: Path, start: Path) -> None:
    with pytest.raises(DataError, match="train is missing"):
        train(spec_of(tmp_path, start), tmp_path / "run")
    with pytest.raises(ModelError, match="is no model folder"):
        train(spec_of(tmp_path, tmp_path / "none"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
