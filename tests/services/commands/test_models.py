"""`reelmood models`: import, list, show."""

import json
from pathlib import Path

import pytest
import torch

from shared.poster import build, load
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood


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
