from pathlib import Path

import pytest
import torch

from shared.errors import ModelError
from shared.poster import build
from shared.poster.active import Promotion, read_promotions
from shared.poster.checkpoints import save
from shared.poster.config import ModelConfig
from shared.poster.expression import ExpressionModel
from shared.poster.folder import WEIGHTS_FILE, model_id
from shared.poster.promotion import check_unchanged, load_candidate, promote, roll_back


@pytest.fixture(scope="module")
def untrained() -> ExpressionModel:
    torch.manual_seed(0)
    return build("nano", 7)


@pytest.fixture
def models(tmp_path: Path, untrained: ExpressionModel) -> Path:
    """A registry with the model `a`."""
    config = ModelConfig(name="a", size="nano", input_size=128, embedding_dim=untrained.embedding_dim)
    save(untrained, config, tmp_path / "models" / "a")
    return tmp_path / "models"


def _names(models: Path) -> list[str]:
    return [one.name for one in read_promotions(models)]


def test_promotions_are_taken_back_one_by_one(models: Path) -> None:
    identity = str(load_candidate("a", models).id)
    assert promote("a", identity, models) == promote("a", identity, models)
    promote("nano", "nano@00000000", models)
    assert _names(models) == ["nano", "a", "nano"]
    assert roll_back(models) == Promotion(name="a", id=identity)
    assert roll_back(models) == Promotion(name="nano")
    with pytest.raises(ModelError, match="there is nothing to go back to"):
        roll_back(models)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("./a", "is no name"),
        ("../models/a", "is no name"),
        ("active", "stands for the model in use"),
        ("absent", "no model absent"),
    ],
)
def test_only_a_model_of_the_registry_can_be_promoted(models: Path, name: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        load_candidate(name, models)


def test_a_model_that_cannot_be_used_is_no_candidate(models: Path) -> None:
    weights = models / "a" / WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="is no safetensors file"):
        load_candidate("a", models)


def test_a_model_whose_answers_are_no_numbers_is_no_candidate(
    models: Path, untrained: ExpressionModel, tmp_path: Path
) -> None:
    state = untrained.state_dict()
    huge = {name: torch.full_like(weight, 1e38) for name, weight in state.items() if "head" in name}
    other = build("nano", 7)
    other.load_state_dict(state | huge)
    config = ModelConfig(name="huge", size="nano", input_size=128, embedding_dim=other.embedding_dim)
    save(other, config, models / "huge")
    with pytest.raises(ModelError, match=r"huge@[0-9a-f]{8} answers with numbers that are not finite"):
        load_candidate("huge", models)


def test_the_active_model_stays_when_the_one_before_cannot_be_used(models: Path) -> None:
    promote("a", model_id(models / "a"), models)
    promote("nano", "nano@00000000", models)
    weights = models / "a" / WEIGHTS_FILE
    weights.write_bytes(b"")
    with pytest.raises(ModelError, match="is no safetensors file"):
        roll_back(models)
    assert _names(models) == ["nano", "a", "nano"]


def test_a_model_that_was_changed_is_told_from_the_promoted_one(models: Path) -> None:
    was = Promotion(name="a", id="a@00000000")
    check_unchanged(was, "a@00000000", models)
    with pytest.raises(ModelError, match="a has changed since it was promoted: it was a@00000000, it is a@1"):
        check_unchanged(was, "a@11111111", models)


def test_a_bundled_model_may_change_with_the_program(models: Path) -> None:
    check_unchanged(Promotion(name="nano", id="nano@00000000"), "nano@11111111", models)
    check_unchanged(Promotion(name="nano"), "nano@11111111", models)
