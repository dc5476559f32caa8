from pathlib import Path

import msgspec
import pytest
import torch

from shared.poster.expression import ExpressionModel
from tests.training.tiny import PREPROCESSING, TinyModel
from training.batches import Batches
from training.loop import Position, Run, fit, moving_average, parameter_groups
from training.recipe import Recipe

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=4, batch_size=4, lr=0.01, backbone_lr=0.002)


class KilledError(Exception):
    pass


def batches() -> Batches:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (12, 1, 48, 48), dtype=torch.uint8, generator=generator)
    targets = torch.rand(12, 7, generator=generator).softmax(1)
    return Batches(images, targets, 16, PREPROCESSING, RECIPE.batch_size)


def new_run(recipe: Recipe = RECIPE) -> Run:
    torch.manual_seed(0)
    return Run(TinyModel(), recipe, batches().steps, CPU)


def validate(model: ExpressionModel) -> dict[str, float]:
    return {"norm": float(sum(parameter.detach().norm() for parameter in model.parameters()))}


def ignore(position: Position) -> None:
    pass


def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = new_run()
    history = fit(whole, batches(), tmp_path / "whole.pt", validate, ignore)

    def kill(position: Position) -> None:
        if (position.epoch, position.step) == (3, 2):
            raise KilledError

    with pytest.raises(KilledError):
        fit(new_run(), batches(), tmp_path / "killed.pt", validate, kill)
    torch.manual_seed(99)
    resumed = Run(TinyModel(), RECIPE, batches().steps, CPU)
    resumed_history = fit(resumed, batches(), tmp_path / "killed.pt", validate, ignore)

    assert [row["epoch"] for row in resumed_history] == [1, 2, 3, 4]
    for row, again in zip(history, resumed_history, strict=True):
        assert (row["loss"], row["norm"]) == (again["loss"], again["norm"])
    for model, again_model in ((whole.model, resumed.model), (whole.averaged, resumed.averaged)):
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, again_model.state_dict()[name]), name


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    history = fit(new_run(), batches(), tmp_path / "state.pt", validate, ignore)

    def fail(position: Position) -> None:
        pytest.fail(f"trained {position}")

    assert fit(new_run(), batches(), tmp_path / "state.pt", validate, fail) == history


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    longer = msgspec.structs.replace(RECIPE, epochs=30)
    history = fit(new_run(longer), batches(), tmp_path / "state.pt", validate, ignore)
    assert history[-1]["loss"] < history[0]["loss"]


def test_every_step_is_reported(tmp_path: Path) -> None:
    seen: list[Position] = []
    fit(new_run(), batches(), tmp_path / "state.pt", validate, seen.append)
    assert [(at.epoch, at.step) for at in seen] == [
        (epoch, step) for epoch in (1, 2, 3, 4) for step in (1, 2, 3)
    ]
    assert {(at.epochs, at.steps) for at in seen} == {(4, 3)}


def test_the_average_follows_the_model_slowly() -> None:
    run = new_run()
    start = run.model.state_dict()["head.weight"].clone()
    run.train_epoch(batches(), ignore)
    moved = (run.model.state_dict()["head.weight"] - start).norm()
    behind = (run.averaged.state_dict()["head.weight"] - start).norm()
    assert 0 < behind < moved


def test_little_is_kept_of_the_first_steps() -> None:
    update = moving_average(0.99)
    old, new = torch.zeros(1), torch.ones(1)
    kept = [1 - update(old, new, count).item() for count in (1, 10, 1000, torch.tensor(10**6))]
    assert kept == pytest.approx([2 / 11, 11 / 20, 0.99, 0.99])


def test_groups_part_pretrained_from_new_and_spare_scales() -> None:
    model = TinyModel()
    groups = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in parameter_groups(model, RECIPE)
        for parameter in group["params"]
    }
    assert groups == {
        id(model.stem.weight): (0.002, 0.05),
        id(model.stem.bias): (0.002, 0.0),
        id(model.embed.weight): (0.01, 0.05),
        id(model.embed.bias): (0.01, 0.0),
        id(model.head.weight): (0.01, 0.05),
        id(model.head.bias): (0.01, 0.0),
    }


def test_what_is_frozen_stays() -> None:
    run = new_run()
    run.train_epoch(batches(), ignore)
    assert run.model.state_dict()["frozen"].tolist() == [1, 1, 1]
