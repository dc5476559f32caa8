"""The pictures of faces, read from the results of their clips when they are to be shown."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from services.dashboard.library.faces import Faces
from shared.errors import DataError
from shared.moments import MOMENTS


def portraits_of(places: Sequence[tuple[Faces, int]]) -> list[bytes]:
    """Return the aligned face (JPEG) of each place among faces; empty where it was not kept or is gone."""
    rows: dict[Path, list[int]] = {}
    for faces, place in places:
        rows.setdefault(faces.folder, []).append(int(faces.row[place]))
    read = {folder: _read_or_nothing(folder, wanted) for folder, wanted in rows.items()}
    return [read[faces.folder].get(int(faces.row[place]), b"") for faces, place in places]


def read_portraits(folder: Path, rows: Iterable[int]) -> dict[int, bytes]:
    """Return the aligned faces (JPEG) that stand in some rows of a folder's moments, by row.

    Only the parts of the file with these rows are read. Raises DataError when the file cannot be read.
    """
    try:
        with pq.ParquetFile(folder / MOMENTS) as file:
            return dict(_portraits(file, set(rows)))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DataError(f"the moments in {folder} cannot be read: {str(error).splitlines()[0]}") from None


def _read_or_nothing(folder: Path, rows: Iterable[int]) -> dict[int, bytes]:
    try:
        return read_portraits(folder, rows)
    except DataError:  # the clip was forgotten a moment ago
        return {}


def _portraits(file: pq.ParquetFile, rows: set[int]) -> Iterator[tuple[int, bytes]]:
    first = 0
    for group in range(file.num_row_groups):
        end = first + file.metadata.row_group(group).num_rows
        wanted = [row for row in rows if first <= row < end]
        if wanted:
            column = file.read_row_group(group, columns=["aligned"])["aligned"]
            yield from ((row, column[row - first].as_py() or b"") for row in wanted)
        first = end
