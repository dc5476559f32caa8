"""AffectNet (Mollahosseini et al., 2017) in Kaggle's folders, with seven emotions or eight.

`Train/<emotion>/` and `Test/<emotion>/`, where the emotion is a name or AffectNet's number from 0 to 7.
"""

from pathlib import Path
from typing import Final

from shared.emotions import EMOTIONS, LABEL_SETS
from training.datasets.folders import list_folders
from training.datasets.labels import EIGHT, SYNONYMS, numbered
from training.datasets.listing import Splits

NAMES: Final = {**SYNONYMS, **numbered(LABEL_SETS["affectnet8"], first=0)}


def list_affectnet7(data: Path) -> Splits:
    """List the seven emotions in the folder `data`; contempt is passed over. Raises DataError."""
    return list_folders(data, EMOTIONS, NAMES, ignored="contempt")


def list_affectnet8(data: Path) -> Splits:
    """List the eight emotions in the folder `data`. Raises DataError."""
    return list_folders(data, EIGHT, NAMES)
