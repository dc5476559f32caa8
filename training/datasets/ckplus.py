"""CK+ (Lucey et al., 2010) as Kaggle's table `ckextended.csv`: 920 grey pictures of 48×48, eight emotions.

A fifth is the test split. People must not be in both, so where the table has a column for the subject, whole
subjects are held out. Kaggle's table has none; the pictures are then split as in the code published with the
paper: by picture, the same share of each emotion, with scikit-learn's `train_test_split` and seed 42. The
table's own `Usage` is not used there either.
"""

from pathlib import Path
from typing import Final

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from shared.errors import DataError
from training.datasets.listing import Listing, Splits
from training.datasets.pixels import CODES, read_pixels, table_in

TEST_SHARE: Final = 0.2
SEED: Final = 42


def list_ckplus(data: Path) -> Splits:
    """List CK+ in the table `data`, or `ckextended.csv` in the folder `data`.

    Raises DataError when it cannot be read or is too small to split.
    """
    table = table_in(data, "ckextended.csv") or data / "ckextended.csv"
    rows = list(read_pixels(table))
    subjects = tuple(row.subject for row in rows if row.subject is not None)
    listing = Listing(
        tuple(row.pixels for row in rows),
        tuple(row.emotion for row in rows),
        tuple(f"{table.name}/{row.number}" for row in rows),
        subjects if rows and len(subjects) == len(rows) else None,
    )
    try:
        train, test = _split(listing)
    except ValueError as error:
        raise DataError(f"{table} cannot be split in training and test pictures: {error}") from error
    return Splits(listing.take(sorted(train)), listing.take(sorted(test)))


def _split(listing: Listing) -> tuple[list[int], list[int]]:
    codes = np.array([CODES.index(label) for label in listing.labels])
    if listing.subjects is None:
        train, test = train_test_split(
            np.arange(len(listing)), test_size=TEST_SHARE, random_state=SEED, stratify=codes
        )
    else:
        folds = StratifiedGroupKFold(round(1 / TEST_SHARE), shuffle=True, random_state=SEED)
        train, test = next(folds.split(codes, codes, listing.subjects))
    return train.tolist(), test.tolist()
