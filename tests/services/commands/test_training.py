"""`reelmood train`, on a data set of a few made pictures."""

import json
from pathlib import Path

import msgspec
import pytest

from shared.poster import load
from shared.queues import trainings
from shared.queues.broker import Broker
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood
from tests.training.conftest import write_corrections, write_tree
from training.presets import PRESETS
from training.recipe import Lora, Recipe
from training.spec import RunSpec


def test_a_trained_model_is_in_the_registry(tmp_path: Path, settings: Settings, reelmood: Reelmood) -> None:
    data = write_tree(tmp_path / "data")
    asked = ("train", "--data", data, "--name", "mine", "--epochs", "1", "--batch-size", "8", "--limit", "8")
    trained = reelmood(*asked)
    assert trained.code == 0, trained.err
    assert load("mine", settings.models).id != load("nano", settings.models).id
    record = json.loads((settings.models / "mine" / "training.json").read_text())
    assert record["spec"] == json.loads((settings.runs / "mine" / "spec.json").read_text())
    again = reelmood(*asked)
    assert (again.code, again.err.count("\n")) == (2, 1)


def test_corrections_of_this_home_are_trained_on_alone(settings: Settings, reelmood: Reelmood) -> None:
    asked = ("train", "--dataset", "corrections", "--name", "mine", "--epochs", "1")
    assert "has no corrections yet" in reelmood(*asked).err
    write_corrections(settings.corrections, ["sad", "sad", "happy", "fear"])
    trained = reelmood(*asked)
    assert trained.code == 0, trained.err
    record = json.loads((settings.models / "mine" / "training.json").read_text())
    assert record["spec"]["data"] == str(settings.corrections)
    assert record["pictures"] == 3


def test_other_data_sets_have_to_be_pointed_at(reelmood: Reelmood) -> None:
    answer = reelmood("train", "--dataset", "rafdb", "--name", "mine")
    assert (answer.code, answer.err) == (2, "reelmood: say with --data where rafdb is\n")


@pytest.fixture
def ordered(broker: Broker, reelmood: Reelmood, tmp_path: Path) -> "Ordered":
    return Ordered(broker, reelmood, tmp_path)


class Ordered:
    """Asks for a run as a job, and returns what was asked for."""

    def __init__(self, broker: Broker, reelmood: Reelmood, data: Path) -> None:
        self.broker = broker
        self.reelmood = reelmood
        self.data = data

    def __call__(self, *options: object) -> RunSpec:
        answer = self.reelmood("train", "--data", self.data, "--name", "mine", *options, "--enqueue")
        assert answer.code == 0, answer.err
        run = trainings.get(self.broker, "mine")
        assert run is not None
        return msgspec.json.decode(run.spec, type=RunSpec)


def test_without_votes_the_label_is_taught(ordered: Ordered, tmp_path: Path) -> None:
    spec = ordered()
    assert (spec.name, spec.data, spec.dataset, spec.init) == ("mine", str(tmp_path), "fer2013", "nano")
    assert spec.recipe == msgspec.structs.replace(Recipe(), target="label")


def test_with_votes_the_recipe_says_what_is_taught(ordered: Ordered, tmp_path: Path) -> None:
    spec = ordered("--votes", tmp_path / "votes.csv")
    assert (spec.votes, spec.recipe) == (str(tmp_path / "votes.csv"), Recipe())


def test_corrections_are_added_when_asked_for(ordered: Ordered, settings: Settings) -> None:
    assert ordered("--add-corrections").corrections == str(settings.corrections)


def test_options_come_on_top_of_a_preset(ordered: Ordered) -> None:
    spec = ordered(
        *("--dataset", "rafdb", "--init", "large", "--align", "--new-head", "--limit", "100"),
        *("--preset", "all", "--epochs", "3", "--batch-size", "16", "--lr", "1e-4", "--seed", "7"),
        *("--paper-split", "--lora", "32", "--hybrid", "--device", "cpu"),
    )
    assert (spec.dataset, spec.init, spec.align, spec.new_head, spec.limit, spec.device) == (
        *("rafdb", "large", True, True, 100, "cpu"),
    )
    assert spec.recipe == msgspec.structs.replace(
        PRESETS["all"],
        epochs=3,
        batch_size=16,
        lr=1e-4,
        backbone_lr=1e-4,
        seed=7,
        paper_split=True,
        lora=Lora(rank=32, hybrid=True),
    )


def test_the_pretrained_streams_rate_keeps_its_share(ordered: Ordered) -> None:
    recipe = ordered("--lr", "2e-3").recipe
    assert (recipe.lr, recipe.backbone_lr) == pytest.approx((2e-3, 8e-4))


def test_a_recipe_of_ones_own_is_taken_in_place_of_the_preset(ordered: Ordered, tmp_path: Path) -> None:
    own = Recipe(target="label", loss="poster", mixup=0.2, epochs=9)
    (tmp_path / "own.json").write_bytes(msgspec.json.encode(own))
    spec = ordered("--preset", "all", "--recipe", tmp_path / "own.json", "--epochs", "2")
    assert spec.recipe == msgspec.structs.replace(own, epochs=2)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[1]", "is no recipe"),
        (b'{"loss": "hinge"}', "hinge"),
        (b'{"epoch": 3}', "epoch"),
        (b'{"lr": -1}', r"\$\.lr"),
        (b"\xff", "is no recipe"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_recipe_is_named(
    content: bytes | None, reason: str, tmp_path: Path, reelmood: Reelmood
) -> None:
    file = tmp_path / "own.json"
    if content is not None:
        file.write_bytes(content)
    answer = reelmood("train", "--data", tmp_path, "--name", "mine", "--recipe", file)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert str(file) in answer.err
    assert reason.replace("\\", "") in answer.err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--name", "mine"), "nowhere"),
        (("--name", "../mine"), "is no name of a model"),
        (("--name", "mine", "--hybrid"), "--lora"),
        (("--name", "mine", "--target", "votes"), "needs the FER+ votes"),
        (("--name", "mine", "--device", "cuda:99"), "cuda:99"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_before_anything_is_trained(
    options: tuple[str, ...], reason: str, tmp_path: Path, settings: Settings, reelmood: Reelmood
) -> None:
    answer = reelmood("train", "--data", tmp_path / "nowhere", *options)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert reason in answer.err
    assert not settings.runs.exists()
