"""The data sets by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from shared.emotions import EMOTIONS
from shared.errors import DataError
from training.datasets.affectnet import list_affectnet7, list_affectnet8
from training.datasets.alignment import Alignment, find_poses
from training.datasets.ckplus import list_ckplus
from training.datasets.corrections import list_corrections
from training.datasets.decoding import decode
from training.datasets.faces import Dataset, Faces
from training.datasets.fer2013 import list_fer2013
from training.datasets.folders import label_set_in, list_any
from training.datasets.labels import EIGHT
from training.datasets.listing import Split, Splits, fingerprint
from training.datasets.pictures import Picture, digest
from training.datasets.rafdb import list_rafdb
from training.spec import DatasetName

LISTERS: Final[dict[DatasetName, Callable[[Path], Splits]]] = {
    "fer2013": list_fer2013,
    "rafdb": list_rafdb,
    "affectnet7": list_affectnet7,
    "affectnet8": list_affectnet8,
    "ckplus": list_ckplus,
    "folder": list_any,
    "corrections": list_corrections,
}
NATIVE_SIDES: Final[dict[DatasetName, int]] = {"fer2013": 48, "ckplus": 48, "rafdb": 100}
"""The side of the pictures, in pixels, where it is one for all: to keep them larger gains nothing."""

SPARSE: Final[frozenset[DatasetName]] = frozenset({"corrections"})
"""The data sets that need not have a picture of every emotion."""


def labels_of(name: DatasetName, data: Path) -> tuple[str, ...]:
    """Return the label set of a data set without reading it. Raises DataError for a folder that is none."""
    if name == "folder":
        return label_set_in(data)
    return EIGHT if name in ("affectnet8", "ckplus") else EMOTIONS


def open_dataset(
    name: DatasetName, data: Path, side: int, grey: bool, align: Alignment | None = None
) -> Dataset:
    """Decode a whole data set, each picture brought to `side`×`side`, in grey or RGB.

    `data` is its folder or table. With `align` the faces are aligned first; those without landmarks stay as
    they are. Raises DataError, naming the file or folder, on a wrong layout, a picture that cannot be
    decoded, or an emotion without pictures.
    """
    splits = _listed(name, data)
    pictures = _pictures(splits)
    digests = [digest(picture) for picture in pictures]
    key = fingerprint(splits, digests)
    poses = None if align is None else find_poses(pictures, digests, align, key)
    count, labels = len(splits.train), labels_of(name, data)
    train = decode(splits.train, labels, side, grey, poses and poses.rows(slice(count)))
    test = None
    if splits.test is not None:
        test = decode(splits.test, labels, side, grey, poses and poses.rows(slice(count, None)))
    return Dataset(name, labels, train, test, key)


def read_split(name: DatasetName, data: Path, split: Split, side: int, grey: bool) -> Faces:
    """Decode one split of a data set. Raises DataError as `open_dataset`, or when it has no such split."""
    listing = getattr(_listed(name, data), split)
    if listing is None:
        raise DataError(f"{data} has no {split} split")
    return decode(listing, labels_of(name, data), side, grey)


def fingerprint_of(name: DatasetName, data: Path) -> str:
    """Return the fingerprint of a data set (see `Dataset`). Raises DataError as `open_dataset`."""
    splits = _listed(name, data)
    return fingerprint(splits, [digest(picture) for picture in _pictures(splits)])


def _pictures(splits: Splits) -> tuple[Picture, ...]:
    return splits.train.pictures + (splits.test.pictures if splits.test is not None else ())


def _listed(name: DatasetName, data: Path) -> Splits:
    if not data.exists() and name not in SPARSE:
        raise DataError(f"{data} is missing")
    try:
        splits = LISTERS[name](data)
    except OSError as error:
        raise DataError(f"{data} cannot be read: {error}") from error
    if name in SPARSE:
        return splits
    lacking = next((label for label in labels_of(name, data) if label not in splits.train.labels), None)
    if lacking is not None:
        raise DataError(f"{data} has no training picture of {lacking}")
    return splits
