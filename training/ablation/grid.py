"""What an ablation is asked to do: what its runs share, and what sets them apart."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec.structs import replace

from shared.errors import DataError
from training.checkpoint import write_whole
from training.presets import PRESETS, PresetName
from training.recipe import Count, Lora, Positive
from training.spec import DatasetName, RunSpec

SETUP_FILE: Final = "setup.json"
Rank = Annotated[int, msgspec.Meta(ge=0)]
Seed = Annotated[int, msgspec.Meta(ge=0)]


class Setup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all runs of a grid share; None leaves a number to the presets.

    `limit`, `epochs`, `lr` and `batch_size` are the budget. `paper_split` chooses the best epoch on the test
    split, as the paper did; else it is chosen on a part of the training pictures.
    """

    dataset: DatasetName = "fer2013"
    data: str
    align: bool = False
    model: str = "nano-initial"
    new_head: bool = False
    limit: Count | None = None
    epochs: Count
    lr: Positive | None = None
    batch_size: Count | None = None
    paper_split: bool = False


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of a grid: a preset, the rank of LoRA (0: all weights are trained), a seed."""

    preset: PresetName
    rank: Rank
    seed: Seed

    @property
    def name(self) -> str:
        """Name of the run, its folder and its model."""
        return f"{self.preset}-{way(self.rank)}-seed-{self.seed}"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a folder's grid began with: the id of its model, and the data set's fingerprint."""

    setup: Setup
    base: str
    fingerprint: str


def way(rank: int) -> str:
    """Name the way of training."""
    return f"lora-{rank}" if rank else "full"


def cells_of(presets: Sequence[PresetName], ranks: Sequence[int], seeds: Sequence[int]) -> list[Cell]:
    """Return all combinations, the first seed's first: a grid that is cut short has whole tables early."""
    return [Cell(preset, rank, seed) for seed in seeds for rank in ranks for preset in presets]


def spec_of(setup: Setup, cell: Cell, device: str) -> RunSpec:
    """Return the run of a cell."""
    preset = PRESETS[cell.preset]
    lr = setup.lr or preset.lr
    recipe = replace(
        preset,
        target="label",
        epochs=setup.epochs,
        lr=lr,
        backbone_lr=lr * preset.backbone_lr / preset.lr,
        batch_size=setup.batch_size or preset.batch_size,
        seed=cell.seed,
        paper_split=setup.paper_split,
        lora=Lora(rank=cell.rank) if cell.rank else None,
    )
    return RunSpec(
        name=cell.name,
        dataset=setup.dataset,
        data=setup.data,
        align=setup.align,
        init=setup.model,
        new_head=setup.new_head,
        limit=setup.limit,
        device=device,
        recipe=recipe,
    )


def keep(out: Path, kept: Kept) -> None:
    """Write what the grid in the folder `out` begins with. Raises DataError when another one began there."""
    file = out / SETUP_FILE
    try:
        begun = msgspec.json.decode(file.read_bytes(), type=Kept)
    except FileNotFoundError:
        begun = kept
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    if begun != kept:
        raise DataError(f"{out} holds an ablation with {_difference(begun, kept)}: choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    write_whole(file, msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")


def _difference(begun: Kept, kept: Kept) -> str:
    """Say in what the folder's grid differs from the one that is asked for."""
    before, now = (msgspec.to_builtins(each.setup) | msgspec.to_builtins(each) for each in (begun, kept))
    field = next(name for name in now if name != "setup" and before[name] != now[name])
    return f"{field} {before[field]}, not {now[field]}"
