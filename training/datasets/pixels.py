"""Pictures in a table: CSV with the columns `emotion`, `pixels` and, often, `Usage` and a subject.

The original form of FER2013 (Kaggle, "Challenges in Representation Learning", 2013), and Kaggle's of CK+.
"""

import csv
from collections.abc import Iterator
from math import isqrt
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.emotions import LABEL_SETS
from shared.errors import DataError

CODES: Final = LABEL_SETS["ckplus"]
"""The emotion by its number in the table."""
SUBJECT_COLUMNS: Final = ("subject", "subject_id", "subjectid", "person")


class Row(NamedTuple):
    """One picture: its place in the table, grey pixels uint8 [S, S], and what is said of it."""

    number: int
    emotion: str
    pixels: NDArray[np.uint8]
    usage: str
    subject: str | None


def read_pixels(path: Path, usages: frozenset[str] | None = None) -> Iterator[Row]:
    """Yield the rows of `path` whose `Usage` is one of `usages`; None takes all.

    Raises DataError, naming file and line, when it cannot be read, lacks a column, or a row holds something
    else than a known emotion and the pixels of a square.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            needed = {"emotion", "pixels"} | ({"usage"} if usages is not None else set())
            missing = needed - set(reader.fieldnames)
            if missing:
                raise DataError(f"{path} lacks the columns {', '.join(sorted(missing))}")
            subject = next((name for name in SUBJECT_COLUMNS if name in reader.fieldnames), None)
            for index, row in enumerate(reader):
                usage = (row.get("usage") or "").strip()
                if usages is not None and usage not in usages:
                    continue
                try:
                    emotion, pixels = CODES[_code(row["emotion"])], _square(row["pixels"])
                except (ValueError, IndexError, AttributeError) as error:
                    line = f"{path}, line {reader.line_num}"
                    raise DataError(f"{line}: no emotion and pixels of a square ({error})") from error
                yield Row(index, emotion, pixels, usage, None if subject is None else row[subject])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table of pictures: {error}") from error


def table_in(data: Path, name: str) -> Path | None:
    """Return the table that `data` is, or that lies in the folder `data` as `name`; None when neither."""
    if data.suffix.lower() == ".csv":
        return data
    return data / name if (data / name).is_file() else None


def _code(text: str) -> int:
    code = int(text)
    if code < 0:
        raise ValueError(f"emotion {code}")
    return code


def _square(text: str) -> NDArray[np.uint8]:
    pixels = np.frombuffer(bytes(map(int, text.split())), np.uint8)
    side = isqrt(len(pixels))
    if side == 0 or side * side != len(pixels):
        raise ValueError(f"{len(pixels)} pixels")
    return pixels.reshape(side, side)
