"""FER2013 (Goodfellow et al., 2013): Kaggle's folders, or the original table `fer2013.csv`.

The test split is the public test in both; the table's private test is left out.
"""

from pathlib import Path
from typing import Final

from shared.emotions import EMOTIONS
from shared.errors import DataError
from training.datasets.folders import list_folders
from training.datasets.listing import Listing, Split, Splits
from training.datasets.pixels import Row, read_pixels, table_in

USAGES: Final[dict[str, Split]] = {"Training": "train", "PublicTest": "test"}


def list_fer2013(data: Path) -> Splits:
    """List FER2013 in the folder or table `data`. Raises DataError on anything else."""
    table = table_in(data, "fer2013.csv")
    if table is None:
        return list_folders(data, EMOTIONS)
    rows: dict[Split, list[Row]] = {"train": [], "test": []}
    for row in read_pixels(table, frozenset(USAGES)):
        if row.emotion not in EMOTIONS:
            raise DataError(f"{table}, picture {row.number}: {row.emotion} is no label of FER2013")
        rows[USAGES[row.usage]].append(row)
    return Splits(_listing(rows["train"]), _listing(rows["test"]) if rows["test"] else None)


def name_of_row(usage: str, index: int) -> str:
    """Return the name of the picture in row `index`, from 0, of the table: FER+'s, after the `Usage`."""
    return f"{usage}/fer{index:07d}.png"


def _listing(rows: list[Row]) -> Listing:
    return Listing(
        tuple(row.pixels for row in rows),
        tuple(row.emotion for row in rows),
        tuple(name_of_row(row.usage, row.number) for row in rows),
    )
