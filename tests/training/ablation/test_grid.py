from pathlib import Path

import msgspec
import pytest

from shared.errors import DataError
from shared.poster.config import Name
from training.ablation.grid import SETUP_FILE, Cell, Kept, Setup, cells_of, keep, spec_of
from training.presets import PRESETS
from training.recipe import Lora

SETUP = Setup(data="faces", epochs=4)


def test_the_first_seed_has_all_its_runs_first() -> None:
    cells = cells_of(("standard", "all"), (0, 64), (3, 5))
    assert [(cell.seed, cell.rank, cell.preset) for cell in cells] == [
        (3, 0, "standard"),
        (3, 0, "all"),
        (3, 64, "standard"),
        (3, 64, "all"),
        (5, 0, "standard"),
        (5, 0, "all"),
        (5, 64, "standard"),
        (5, 64, "all"),
    ]
    names = [msgspec.convert(cell.name, Name) for cell in cells]
    assert len(set(names)) == len(cells)
    assert names[0] == "standard-full-seed-3"


def test_a_run_is_its_preset_at_the_common_budget() -> None:
    setup = msgspec.structs.replace(SETUP, limit=700, align=True, model="nano", paper_split=True)
    spec = spec_of(setup, Cell("cb", 64, 1), "cpu")
    assert (spec.name, spec.init, spec.limit, spec.align, spec.device) == (
        "cb-lora-64-seed-1",
        "nano",
        700,
        True,
        "cpu",
    )
    preset = PRESETS["cb"]
    assert spec.recipe == msgspec.structs.replace(
        preset, epochs=4, seed=1, paper_split=True, lora=Lora(rank=64)
    )
    assert spec_of(SETUP, Cell("cb", 0, 1), "cpu").recipe.lora is None


def test_the_rate_of_the_pretrained_stream_goes_with_the_other() -> None:
    setup = msgspec.structs.replace(SETUP, lr=2e-3, batch_size=32)
    modern = spec_of(setup, Cell("modern", 0, 0), "cpu").recipe
    # The preset has 1e-3 and 4e-4.
    assert (modern.lr, modern.backbone_lr) == pytest.approx((2e-3, 8e-4))
    assert (modern.batch_size, modern.target) == (32, "label")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (Kept(msgspec.structs.replace(SETUP, epochs=5), "nano@1", "ab"), "epochs 4, not 5"),
        (Kept(msgspec.structs.replace(SETUP, model="mine"), "nano@1", "ab"), "model nano-initial, not mine"),
        (Kept(SETUP, "nano@2", "ab"), "base nano@1, not nano@2"),
        (Kept(SETUP, "nano@1", "cd"), "fingerprint ab, not cd"),
    ],
)
def test_a_folder_takes_one_setup(tmp_path: Path, other: Kept, told: str) -> None:
    kept = Kept(SETUP, "nano@1", "ab")
    keep(tmp_path / "out", kept)
    keep(tmp_path / "out", kept)
    with pytest.raises(DataError, match=f"holds an ablation with {told}: choose another folder"):
        keep(tmp_path / "out", other)


def test_a_damaged_setup_is_one_line(tmp_path: Path) -> None:
    (tmp_path / SETUP_FILE).write_text("{}")
    with pytest.raises(DataError, match=r"setup\.json cannot be read"):
        keep(tmp_path, Kept(SETUP, "nano@1", "ab"))
