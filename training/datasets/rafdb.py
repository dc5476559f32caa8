"""RAF-DB, basic emotions (Li and Deng, CVPR 2017): Kaggle's folders, or the original list and pictures."""

from pathlib import Path
from typing import Final

from shared.emotions import EMOTIONS, LABEL_SETS
from shared.errors import DataError
from training.datasets.folders import list_folders
from training.datasets.labels import SYNONYMS, numbered
from training.datasets.listing import Listing, Splits

NUMBERS: Final = numbered(LABEL_SETS["rafdb"], first=1)
LIST: Final = Path("EmoLabel", "list_patition_label.txt")
PICTURES: Final = Path("Image", "aligned")


def list_rafdb(data: Path) -> Splits:
    """List RAF-DB in the folder `data`.

    Either `DATASET/train/1…7/` and `DATASET/test/1…7/`, or `EmoLabel/list_patition_label.txt` with lines
    like `train_00001.jpg 5`, and `Image/aligned/train_00001_aligned.jpg`. Raises DataError on anything else.
    """
    home = next((folder for folder in (data, data / "basic") if (folder / LIST).is_file()), None)
    if home is None:
        return list_folders(data, EMOTIONS, {**SYNONYMS, **NUMBERS})
    rows = _read_list(home / LIST)
    listings = {
        split: [(name, emotion) for name, emotion in rows if name.startswith(f"{split}_")]
        for split in ("train", "test")
    }
    test = _listing(home, listings["test"]) if listings["test"] else None
    return Splits(_listing(home, listings["train"]), test)


def _read_list(path: Path) -> list[tuple[str, str]]:
    """Return the name of each picture and its emotion."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    rows = []
    for number, line in enumerate(lines, 1):
        name, code = (*line.split(), "", "")[:2]
        plain = Path(name).name == name and name.startswith(("train_", "test_"))
        if not plain or code not in NUMBERS:
            raise DataError(f"{path}, line {number}: not like `train_00001.jpg 5`")
        rows.append((name, NUMBERS[code]))
    return rows


def _listing(home: Path, rows: list[tuple[str, str]]) -> Listing:
    files = [home / PICTURES / f"{Path(name).stem}_aligned.jpg" for name, _ in rows]
    absent = next((file for file in files if not file.is_file()), None)
    if absent is not None:
        raise DataError(f"{absent} is missing: {LIST.name} names it")
    return Listing(tuple(files), tuple(emotion for _, emotion in rows), tuple(name for name, _ in rows))
