"""`reelmood models`: import, list, show."""

import json
from pathlib import Path

import msgspec
import pytest
import torch

from shared.poster import build, load
from shared.poster.folder import model_id
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood
from training.lora import adapt, save_adapter
from training.recipe import Lora


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as the POSTER authors publish theirs: behind `module.`, with the optimiser's state."""
    torch.manual_seed(0)
    state = {f"module.{name}": tensor for name, tensor in build("small", 7).state_dict().items()}
    file = tmp_path_factory.mktemp("published") / "rafdb.pth"
    torch.save({"model_state_dict": state, "optimizer_state_dict": {}, "iter": 3}, file)
    return file


def test_a_published_checkpoint_becomes_a_model(
    published: Path, settings: Settings, reelmood: Reelmood
) -> None:
    imported = reelmood("models", "import", published, "--name", "rafdb", "--size", "small")
    assert imported.code == 0, imported.err
    assert f"{len(build('small', 7).state_dict())} tensors matched" in imported.out
    listed = {row["name"]: row for row in json.loads(reelmood("models", "list", "--json").out)}
    assert listed["rafdb"]["size"] == "small"
    assert "nano" in listed
    shown = json.loads(reelmood("models", "show", "rafdb").out)
    assert shown["labels"] == ["surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"]
    assert load("rafdb", settings.models).id == listed["rafdb"]["id"]


def test_a_partial_match_is_an_error_and_leaves_nothing(
    published: Path, settings: Settings, reelmood: Reelmood
) -> None:
    refused = reelmood("models", "import", published, "--name", "wrong", "--size", "base")
    assert refused.code == 2
    assert refused.err.count("\n") == 1
    assert "missing" in refused.err
    assert not (settings.models / "wrong").exists()


def test_an_unknown_model_is_one_line(reelmood: Reelmood) -> None:
    answer = reelmood("models", "show", "nobody")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "no model nobody" in answer.err


@pytest.fixture
def adapter(settings: Settings) -> str:
    """The name of an adapter of the bundled nano, in the registry."""
    model = adapt(load("nano"), Lora(rank=2))
    with torch.no_grad():
        model.get_parameter("head.linear.bias").zero_()
    assert model.config is not None
    config = msgspec.structs.replace(model.config, name="mine", base=model.id)
    save_adapter(model, Lora(rank=2), config, settings.models / "mine")
    return "mine"


def test_an_adapter_is_shown_with_its_base(adapter: str, settings: Settings, reelmood: Reelmood) -> None:
    listed = {row["name"]: row for row in json.loads(reelmood("models", "list", "--json").out)}
    assert listed[adapter]["id"] == model_id(settings.models / adapter)
    assert listed[adapter]["base"] == listed["nano"]["id"]
    assert listed["nano"]["base"] is None
    assert listed["nano"]["id"] in reelmood("models", "list").out
    assert json.loads(reelmood("models", "show", adapter).out)["base"] == listed["nano"]["id"]


def test_an_adapter_is_merged_into_a_whole_model(
    adapter: str, settings: Settings, reelmood: Reelmood
) -> None:
    merged = reelmood("models", "merge", adapter, "--name", "whole")
    assert merged.code == 0, merged.err
    whole, expected = load("whole", settings.models), load(adapter, settings.models).state_dict()
    assert whole.config is not None
    assert (whole.config.name, whole.config.base) == ("whole", None)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in whole.state_dict().items())
    again = reelmood("models", "merge", "whole", "--name", "twice")
    assert (again.code, again.err) == (2, "reelmood: whole is a whole model already\n")
    outside = reelmood("models", "merge", adapter, "--name", "../outside")
    assert (outside.code, outside.err.count("\n")) == (2, 1)
