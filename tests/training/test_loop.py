import copy
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from shared import runs
from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.poster.expression import ExpressionModel
from tests.training.tiny import PREPROCESSING, TinyModel
from training.batches import Batches
from training.distributed import Group
from training.loop import STATE_FILE, Run, fit
from training.metrics import Scores, score
from training.observer import NOBODY, Position, Stopped
from training.recipe import Augmentation, Recipe
from training.validation import Validation

ALONE = Group(torch.device("cpu"))
RECIPE = Recipe(target="label", epochs=4, batch_size=4, lr=0.01, backbone_lr=0.002)
EVERYTHING = msgspec.structs.replace(
    RECIPE,
    loss="cb_focal",
    sampling="balanced",
    schedule="cosine",
    sam_rho=0.05,
    mixup=0.3,
    patience=3,
    select="macro_f1",
    augmentation=Augmentation(lighting=0.1, erase_fill="mean"),
)


def batches(count: int = 12) -> Batches:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (count, 1, 48, 48), dtype=torch.uint8, generator=generator)
    targets = torch.rand(count, 7, generator=generator).softmax(1)
    return Batches(images, targets, 16, PREPROCESSING, RECIPE.batch_size)


def new_run(recipe: Recipe = RECIPE, seed: int = 0) -> Run:
    torch.manual_seed(seed)
    return Run(TinyModel(), recipe, batches(), torch.ones(7), ALONE)


def validate(model: ExpressionModel) -> Validation:
    """Return scores that depend on every weight, and not on their order alone."""
    total = sum(float(each.detach().double().sin().sum()) for each in model.parameters())
    counts = np.random.default_rng(int(1e9 * abs(total))).integers(0, 9, (7, 7))
    return Validation({"label": Scores(counts, EMOTIONS, np.zeros(7, np.int64))})


class Watcher:
    """Notes all that it is told; stops at a place."""

    def __init__(self, stop: tuple[int, int] | None = None) -> None:
        self.steps: list[Position] = []
        self.rows: list[dict[str, float]] = []
        self.stop = stop

    def step(self, position: Position) -> None:
        self.steps.append(position)
        if (position.epoch, position.step) == self.stop:
            raise Stopped("as asked")

    def epoch(self, row: dict[str, float]) -> None:
        self.rows.append(row)


def without_seconds(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


@pytest.mark.parametrize("recipe", [RECIPE, EVERYTHING], ids=["plain", "everything"])
def test_a_stopped_run_goes_on_bit_for_bit(recipe: Recipe, tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for folder in (whole, stopped):
        folder.mkdir()
    run = new_run(recipe)
    fit(run, whole, validate, NOBODY)
    with pytest.raises(Stopped):
        fit(new_run(recipe), stopped, validate, Watcher(stop=(3, 2)))
    again = new_run(recipe, seed=99)
    fit(again, stopped, validate, NOBODY)

    assert without_seconds(again.history) == without_seconds(run.history)
    for model, resumed in ((run.model, again.model), (run.averaged, again.averaged)):
        assert all(torch.equal(each, resumed.state_dict()[name]) for name, each in model.state_dict().items())
    chosen, row = run.chosen()
    chosen_again, row_again = again.chosen()
    assert row["epoch"] == row_again["epoch"]
    assert all(
        torch.equal(each, chosen_again.state_dict()[name]) for name, each in chosen.state_dict().items()
    )


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    run = new_run()
    fit(run, tmp_path, validate, NOBODY)
    (tmp_path / "history.json").unlink()
    again, watcher = new_run(), Watcher()
    fit(again, tmp_path, validate, watcher)
    assert (again.history, watcher.steps) == (run.history, [])
    assert json.loads((tmp_path / "history.json").read_text()) == run.history


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    run = new_run(msgspec.structs.replace(RECIPE, epochs=30))
    fit(run, tmp_path, validate, NOBODY)
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_an_observer_is_told_of_every_step_and_of_saved_epochs(tmp_path: Path) -> None:
    class Reader(Watcher):
        def epoch(self, row: dict[str, float]) -> None:
            assert json.loads((tmp_path / "history.json").read_text())[-1] == row
            assert (tmp_path / STATE_FILE).exists()
            super().epoch(row)

    run, watcher = new_run(), Reader()
    fit(run, tmp_path, validate, watcher)
    places = [(at.epoch, at.epochs, at.step, at.steps) for at in watcher.steps]
    assert places == [(epoch, 4, step, 3) for epoch in (1, 2, 3, 4) for step in (1, 2, 3)]
    assert watcher.rows == run.history
    assert run.history[0].keys() == {
        *("epoch", "loss", "train_accuracy", "lr", "trainable", "label_accuracy", "label_macro_f1", "seconds")
    }
    assert run.history[0]["trainable"] == sum(
        each.numel() for name, each in TinyModel().named_parameters() if name != "frozen"
    )
    assert watcher.steps[2].loss == run.history[0]["loss"]


@pytest.mark.parametrize(("select", "epoch"), [("last", 4), ("accuracy", 2), ("macro_f1", 3)])
def test_the_selected_weights_are_chosen(select: str, epoch: int, tmp_path: Path) -> None:
    truth = np.array([0] * 8 + [1] * 2)
    # Accuracy 0.2, 0.8, 0.7, 0.6; macro F1 0.17, 0.44, 0.67, 0.38.
    answers = [[1] * 10, [0] * 10, [0] * 5 + [1] * 5, [0] * 6 + [1] * 2 + [0] * 2]
    seen: list[dict[str, torch.Tensor]] = []

    def script(model: ExpressionModel) -> Validation:
        seen.append({name: each.clone() for name, each in model.state_dict().items()})
        return Validation({"label": score(truth, np.array(answers[len(seen) - 1]))})

    run = new_run(msgspec.structs.replace(RECIPE, select=select))
    fit(run, tmp_path, script, NOBODY)
    model, row = run.chosen()
    assert row == run.history[epoch - 1]
    confusion = runs.read_confusion(tmp_path)
    assert confusion is not None
    assert (confusion.epoch, confusion.labels) == (epoch, EMOTIONS)
    assert confusion.counts == {"label": score(truth, np.array(answers[epoch - 1])).confusion.tolist()}
    assert all(torch.equal(each, seen[epoch - 1][name]) for name, each in model.state_dict().items())


def test_patience_ends_a_run(tmp_path: Path) -> None:
    run = new_run(msgspec.structs.replace(RECIPE, patience=2))
    same = score(np.zeros(2, np.int64), np.array([0, 1]))
    fit(run, tmp_path, lambda model: Validation({"label": same}), NOBODY)
    assert len(run.history) == 3


def test_the_average_follows_the_model_slowly() -> None:
    run = new_run()
    start = run.model.state_dict()["head.weight"].clone()
    run.train_epoch(NOBODY)
    moved = (run.model.state_dict()["head.weight"] - start).norm()
    behind = (run.averaged.state_dict()["head.weight"] - start).norm()
    assert 0 < behind < moved


def test_without_an_average_the_model_itself_is_kept() -> None:
    run = new_run(msgspec.structs.replace(RECIPE, ema_decay=0))
    assert run.averaged is run.model


def test_what_is_frozen_stays() -> None:
    run = new_run()
    run.train_epoch(NOBODY)
    assert run.model.state_dict()["frozen"].tolist() == [1, 1, 1]


def test_a_step_with_sam_is_that_of_two_passes_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.passes.autocast", lambda device: nullcontext())
    recipe = msgspec.structs.replace(
        RECIPE, sam_rho=0.1, optimizer="adam", schedule="exponential", weight_decay=0.0, label_smoothing=0.0
    )
    model = TinyModel()
    model.dropout = nn.Dropout(0)
    by_hand = copy.deepcopy(model).train()
    weights = {name: each for name, each in by_hand.named_parameters() if each.requires_grad}
    ((images, targets),) = batches(4).drawn(recipe, 1, ALONE)

    def gradients(at: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        logits = functional_call(by_hand, at, images).logits
        loss = -(targets * logits.log_softmax(1)).sum(1).mean()
        return dict(zip(at, torch.autograd.grad(loss, tuple(at.values())), strict=True))

    first = gradients(dict(weights))
    length = sum(float(each.pow(2).sum()) for each in first.values()) ** 0.5
    second = gradients({name: each + 0.1 * first[name] / length for name, each in weights.items()})
    Run(model, recipe, batches(4), torch.ones(7), ALONE).train_epoch(NOBODY)

    after = dict(model.named_parameters())
    # The norm takes a bias away again, so that its gradient is rounding alone.
    for name in weights.keys() - {"stem.bias"}:
        rate = recipe.backbone_lr if name == "stem.weight" else recipe.lr
        # Adam's first step: both moments, corrected, are those of the one gradient.
        expected = weights[name] - rate * second[name] / (second[name].abs() + 1e-8)
        torch.testing.assert_close(after[name], expected, msg=name)
    # Statistics moved a tenth of the way, once, at the weights before.
    mean = by_hand.stem(images).mean((0, 2, 3))
    torch.testing.assert_close(model.norm.running_mean, 0.1 * mean)


def test_a_loss_that_is_no_number_ends_the_run() -> None:
    run = new_run()
    with torch.no_grad():
        run.model.get_parameter("head.weight").fill_(float("nan"))
    with pytest.raises(DataError, match="the loss is nan in epoch 1: lower the learning rate"):
        run.train_epoch(NOBODY)


def test_a_run_of_several_processes_is_not_gone_on_with_alone(tmp_path: Path) -> None:
    run = new_run()
    fit(run, tmp_path, validate, NOBODY)
    state: dict[str, Any] = torch.load(tmp_path / STATE_FILE, weights_only=True)
    state["rng"] *= 2
    with pytest.raises(DataError, match="began with 2 processes: go on with as many"):
        new_run().restore(state)
