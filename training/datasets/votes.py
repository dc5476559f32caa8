"""FER+ (Barsoum et al., ICMI 2016): the votes of ten people for each picture of FER2013."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.errors import DataError
from training.datasets.fer2013 import name_of_row
from training.datasets.labels import EIGHT

VOTE_COLUMNS: Final = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""FER+'s names of the seven emotions, in the order of `EMOTIONS`."""
OTHER_COLUMNS: Final = ("contempt", "unknown", "NF")
_COLUMNS: Final = (*VOTE_COLUMNS, *OTHER_COLUMNS)


@dataclass(frozen=True)
class Votes:
    """FER+ votes: `counts` int64 [N, 8] in the order of `EIGHT`, `total` int64 [N] with all others."""

    counts: NDArray[np.int64]
    total: NDArray[np.int64]

    def counts_of(self, labels: tuple[str, ...]) -> NDArray[np.int64]:
        """Return the votes for `labels`, int64 [N, C] in their order."""
        return self.counts[:, [EIGHT.index(label) for label in labels]]

    def majority(self, labels: tuple[str, ...] = EMOTIONS) -> NDArray[np.int64]:
        """Return int64 [N]: the index in `labels` of what has more than half of all votes, -1: none has."""
        counts = self.counts_of(labels)
        clear = 2 * counts.max(axis=1) > self.total
        return np.where(clear, counts.argmax(axis=1), -1)

    def shares(self, labels: tuple[str, ...] = EMOTIONS) -> NDArray[np.float32]:
        """Return float32 [N, C]: the share of each of `labels` in their votes; zeros where they have none."""
        counts = self.counts_of(labels)
        return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.float32)


def read_votes(path: Path, names: Sequence[str]) -> Votes:
    """Read the votes of the pictures `names` from a CSV with one column for each choice.

    A column `path` names the picture. FER+'s own `fer2013new.csv` has none: its rows, told by their `Usage`
    and place, are those of the table `fer2013.csv`. Raises DataError when the file cannot be read, lacks a
    column or a picture, or holds something else than counts.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            by_path = "Usage" not in columns
            missing = {"path" if by_path else "Usage", *_COLUMNS} - columns
            if missing:
                raise DataError(f"{path} lacks the columns {', '.join(sorted(missing))}")
            rows = {
                row["path"] if by_path else name_of_row(row["Usage"], index): _counts(row)
                for index, row in enumerate(reader)
            }
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as votes: {error}") from error
    absent = next((name for name in names if name not in rows), None)
    if absent is not None:
        hint = "" if by_path else " (FER+'s own file goes with the table fer2013.csv)"
        raise DataError(f"{path} has no votes for {absent}{hint}")
    counts = np.array([rows[name] for name in names], dtype=np.int64).reshape(-1, len(_COLUMNS))
    return Votes(counts[:, : len(EIGHT)], counts.sum(axis=1))


def _counts(row: dict[str, str]) -> list[int]:
    counts = [int(row[column]) for column in _COLUMNS]
    if not 0 <= min(counts) <= max(counts) < 2**31:
        raise ValueError(f"{min(counts)} or {max(counts)} is no count")
    return counts
