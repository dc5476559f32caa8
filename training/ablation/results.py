"""What came of the runs of a grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Final

import msgspec

from shared.errors import DataError
from training.ablation.grid import Cell
from training.checkpoint import write_whole
from training.presets import PresetName

RESULT_FILE: Final = "result.json"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One finished run, measured on the `tested` pictures of the test split; figures 0..1.

    `pictures` were trained on; `trainable` counts parameters; `seconds` are those of all `epochs`;
    `best_epoch` is the one whose weights were measured.
    """

    cell: Cell
    accuracy: float
    macro_f1: float
    tested: int
    pictures: int
    trainable: int
    epochs: int
    best_epoch: int
    seconds: float
    device: str


@dataclass(frozen=True)
class Spread:
    """Mean over seeds, and the sample's standard deviation; None with one seed."""

    mean: float
    deviation: float | None


@dataclass(frozen=True)
class Row:
    """A line of a table: what the runs of one preset and rank came to."""

    preset: PresetName
    rank: int
    seeds: tuple[int, ...]
    accuracy: Spread
    macro_f1: Spread
    trainable: int
    seconds: float


def read_result(folder: Path) -> Result | None:
    """Return the result in the folder of a run, None when there is none yet. Raises DataError if damaged."""
    file = folder / RESULT_FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Result)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{file} is no result of a run: {error}") from error


def write_result(folder: Path, result: Result) -> None:
    """Write a result into the folder of its run, whole or not at all."""
    write_whole(folder / RESULT_FILE, msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")


def summarise(results: Sequence[Result], rank: int) -> list[Row]:
    """Return a row for each preset that was run at a rank, in the order of `results`."""
    groups: dict[PresetName, list[Result]] = {}
    for result in results:
        if result.cell.rank == rank:
            groups.setdefault(result.cell.preset, []).append(result)
    return [
        Row(
            preset,
            rank,
            tuple(result.cell.seed for result in group),
            _spread([result.accuracy for result in group]),
            _spread([result.macro_f1 for result in group]),
            group[0].trainable,
            fmean(result.seconds for result in group),
        )
        for preset, group in groups.items()
    ]


def _spread(values: Sequence[float]) -> Spread:
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None)
