"""Data sets in folders: one folder per split, in it one folder per emotion, in it the pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.errors import DataError
from training.datasets.labels import SYNONYMS, label_set_of
from training.datasets.listing import Listing, Split, Splits

FOLDERS: Final[dict[Split, tuple[str, ...]]] = {"train": ("train",), "test": ("test", "val", "valid")}
"""What the folder of a split is called, in small letters; the first that is there counts."""


def list_folders(
    root: Path, labels: tuple[str, ...], names: Mapping[str, str] = SYNONYMS, ignored: str | None = None
) -> Splits:
    """List `<root>/train/<emotion>/<picture>` and, where there is one, the folder of the test split.

    Both may also lie one folder deeper, as archives unpack. `names` gives the emotion by the name of its
    folder, in small letters; `ignored` is an emotion to pass over. Raises DataError, naming the folder, when
    the layout is another one or one of `labels` has no picture.
    """
    home = _home(root)
    train = _split_folder(home, "train") or home / "train"
    if not train.is_dir():
        raise DataError(f"{train} is missing: the data folder must hold train/<emotion>/ and test/<emotion>/")
    test = _split_folder(home, "test")
    return Splits(
        list_emotions(train, labels, names, "train", ignored),
        None if test is None else list_emotions(test, labels, names, "test", ignored),
    )


def list_any(root: Path) -> Splits:
    """List a folder of one's own: `train/` and perhaps `test/`, or the emotions' folders alone (no test).

    Raises DataError as `list_folders`.
    """
    labels = label_set_in(root)
    if _split_folder(_home(root), "train") is None:
        return Splits(list_emotions(root, labels, SYNONYMS, "train"), None)
    return list_folders(root, labels)


def label_set_in(root: Path) -> tuple[str, ...]:
    """Return the label set that the emotions' folders of `root` make up. Raises DataError as `list_any`."""
    folder = _split_folder(_home(root), "train") or root
    return label_set_of(emotion_folders(folder, SYNONYMS), str(folder))


def list_emotions(
    folder: Path, labels: tuple[str, ...], names: Mapping[str, str], split: str, ignored: str | None = None
) -> Listing:
    """List `<folder>/<emotion>/<picture>` in the order of `labels`, then of the files' names.

    Raises DataError as `list_folders`.
    """
    found = emotion_folders(folder, names)
    stray = next((emotion for emotion in found if emotion not in labels and emotion != ignored), None)
    if stray is not None:
        raise DataError(f"{found[stray]} is none of {', '.join(labels)}")
    pictures: list[Path] = []
    emotions: list[str] = []
    called: list[str] = []
    for emotion in labels:
        own = found.get(emotion)
        if own is None:
            raise DataError(f"{folder / emotion} is missing: one folder is needed for each emotion")
        files = sorted((file for file in own.iterdir() if not file.name.startswith(".")), key=_name)
        if not files:
            raise DataError(f"{own} is empty")
        pictures += files
        emotions += [emotion] * len(files)
        called += [f"{split}/{own.name}/{file.name}" for file in files]
    return Listing(tuple(pictures), tuple(emotions), tuple(called))


def emotion_folders(folder: Path, names: Mapping[str, str]) -> dict[str, Path]:
    """Return the emotions' folders in `folder`.

    Raises DataError when `folder` isn't one, or a folder in it is no emotion's or the second of one.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder")
    found: dict[str, Path] = {}
    for own in _folders(folder):
        emotion = names.get(own.name.lower())
        if emotion is None:
            raise DataError(f"{own} is no emotion that this data set has")
        if emotion in found:
            raise DataError(f"{own} and {found[emotion].name} are both for {emotion}")
        found[emotion] = own
    return found


def _home(root: Path) -> Path:
    """Return the folder that holds the splits: `root`, or the one folder in it that does."""
    if not root.is_dir() or _split_folder(root, "train") is not None:
        return root
    homes = [folder for folder in _folders(root) if _split_folder(folder, "train") is not None]
    return homes[0] if len(homes) == 1 else root


def _split_folder(home: Path, split: Split) -> Path | None:
    folders = {folder.name.lower(): folder for folder in _folders(home)} if home.is_dir() else {}
    return next((folders[name] for name in FOLDERS[split] if name in folders), None)


def _folders(folder: Path) -> list[Path]:
    return sorted(own for own in folder.iterdir() if own.is_dir() and not own.name.startswith("."))


def _name(file: Path) -> str:
    return file.name
