import json
import shutil
from pathlib import Path

import msgspec
import pytest

from shared.errors import DataError, ModelError
from shared.poster import checkpoints
from tests.training.conftest import write_tree
from tests.training.untrained import write_untrained
from training.ablation.grid import Cell, Setup
from training.ablation.run import ablate
from training.evaluation.run import Pictures, evaluate
from training.observer import Position, Stopped

CELLS = (Cell("standard", 0, 0), Cell("all", 2, 0))


class Follower:
    """Notes which runs begin and the epochs of each step; stops at a step of a run."""

    def __init__(self, stop: tuple[int, int] | None = None) -> None:
        self.begun: list[tuple[str, int]] = []
        self.epochs: list[int] = []
        self.stop = stop

    def begin(self, what: str, before: int) -> None:
        self.begun.append((what, before))

    def step(self, position: Position) -> None:
        self.epochs.append(position.epoch)
        if self.stop == (len(self.begun), position.epoch):
            raise Stopped("stopped")

    def epoch(self, row: dict[str, float]) -> None:
        pass


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained(tmp_path_factory.mktemp("models"), "start")


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    data = write_tree(tmp_path_factory.mktemp("data") / "faces", train=3, test=1)
    return Setup(data=str(data), model="start", epochs=2, limit=7, batch_size=7)


def run(
    setup: Setup, models: Path, out: Path, follower: Follower, cells: tuple[Cell, ...] = CELLS
) -> list[float]:
    results = ablate(
        setup,
        cells,
        out,
        command="reelmood ablate",
        models=models,
        device="cpu",
        observe=follower,
        begin=follower.begin,
    )
    return [result.accuracy for result in results]


def test_a_stopped_grid_goes_on_where_it_was(setup: Setup, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "grid"
    first = Follower(stop=(2, 2))
    with pytest.raises(Stopped):
        run(setup, models, out, first)
    assert first.begun == [("1 of 2: standard, full", 0), ("2 of 2: all, lora-2", 1)]
    assert first.epochs == [1, 2, 1, 2]
    assert "1 of 2 runs are done" in (out / "ablation.md").read_text()

    second = Follower()
    accuracies = run(setup, models, out, second)
    assert second.begun == [("2 of 2: all, lora-2", 1)]
    assert second.epochs == [2]
    text = (out / "ablation.md").read_text()
    assert "runs are done" not in text
    assert "## Table I: all weights trained" in text
    assert "## Table II: LoRA, r = 2" in text

    third = Follower()
    assert run(setup, models, out, third) == accuracies
    assert (third.begun, third.epochs) == ([], [])
    assert not list(out.glob("runs/*/state.pt"))

    full, lora = (json.loads((out / "runs" / cell.name / "result.json").read_text()) for cell in CELLS)
    assert (full["pictures"], lora["pictures"], full["tested"]) == (7, 7, 7)
    model = checkpoints.load(models / "start")
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert full["trainable"] == trained > lora["trainable"]
    report = evaluate(
        Pictures("fer2013", Path(setup.data)),
        out / "runs" / CELLS[1].name / CELLS[1].name,
        "",
        models=models,
        device="cpu",
    )
    assert report.measurements["label"].scores.accuracy == lora["accuracy"]

    other = msgspec.structs.replace(setup, epochs=3)
    with pytest.raises(DataError, match="holds an ablation with epochs 2, not 3"):
        run(other, models, out, Follower())


def test_a_model_that_was_trained_is_measured_without_being_trained_again(
    setup: Setup, models: Path, tmp_path: Path
) -> None:
    out = tmp_path / "grid"
    one = msgspec.structs.replace(setup, epochs=1)
    accuracies = run(one, models, out, Follower(), CELLS[:1])
    (out / "runs" / CELLS[0].name / "result.json").unlink()
    follower = Follower()
    assert run(one, models, out, follower, CELLS[:1]) == accuracies
    assert follower.epochs == []


def test_what_cannot_end_well_does_not_begin(setup: Setup, models: Path, tmp_path: Path) -> None:
    untested = tmp_path / "untested"
    shutil.copytree(Path(setup.data) / "train", untested / "train")
    with pytest.raises(DataError, match="no test split"):
        run(msgspec.structs.replace(setup, data=str(untested)), models, tmp_path / "a", Follower())
    elsewhere = msgspec.structs.replace(setup, model=str(models / "start"))
    with pytest.raises(DataError, match="an adapter finds its base in the registry"):
        run(elsewhere, tmp_path / "empty", tmp_path / "b", Follower())
    with pytest.raises(ModelError, match="no model nobody"):
        run(msgspec.structs.replace(setup, model="nobody"), models, tmp_path / "c", Follower())
    assert not [name for name in "abc" if (tmp_path / name).exists()]
