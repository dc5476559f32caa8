from pathlib import Path

import msgspec
import pytest

import training
from training.presets import PAPER, PRESETS, PresetName
from training.recipe import Recipe

RECIPES = Path(training.__path__[0]) / "recipes"


def test_the_papers_rows_differ_in_what_its_table_says() -> None:
    rows = {
        name: (
            PRESETS[name].augmentation.lighting,
            PRESETS[name].augmentation.erase > 0,
            PRESETS[name].sampling,
            PRESETS[name].loss,
        )
        for name in PAPER
    }
    assert rows == {
        "standard": (0, False, "shuffled", "poster"),
        "augmented": (0.1, True, "shuffled", "poster"),
        "balanced": (0.1, True, "balanced", "poster"),
        "cb": (0.1, True, "shuffled", "cb_focal"),
        "all": (0.1, True, "balanced", "cb_focal"),
    }


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_rows_share_the_rest(name: PresetName) -> None:
    recipe = PRESETS[name]
    assert (recipe.optimizer, recipe.lr, recipe.backbone_lr, recipe.weight_decay) == ("adam", 4e-5, 4e-5, 0)
    assert (recipe.schedule, recipe.gamma, recipe.sam_rho) == ("exponential", 0.98, 0.05)
    assert (recipe.epochs, recipe.patience, recipe.batch_size) == (300, 20, 100)
    assert (recipe.ema_decay, recipe.mixup, recipe.augmentation.flip) == (0, 0, 0.5)


def test_modern_is_the_default() -> None:
    assert PRESETS["modern"] == Recipe()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_its_journey_as_json(name: PresetName) -> None:
    assert msgspec.json.decode(msgspec.json.encode(PRESETS[name]), type=Recipe) == PRESETS[name]


@pytest.mark.parametrize("target", ["mixed", "votes", "label"])
def test_the_bundled_models_recipes_can_be_read(target: str) -> None:
    recipe = msgspec.json.decode((RECIPES / f"{target}.json").read_bytes(), type=Recipe)
    assert recipe.target == target
