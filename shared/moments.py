"""The explained faces of finished clips, for those who look for faces in all of them."""

import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOMENTS: Final = "moments.parquet"
"""The file of a results folder that holds them; `docs/files.md` says what its columns mean."""

ROW_GROUP: Final = 256
"""Rows of that file that are read together: one face's picture must not cost those of a whole clip."""

Stamp = tuple[int, int, int]
"""A state of a file: another one after each change."""


def stamps(results: Path) -> dict[Path, Stamp]:
    """Return the files of moments below `results`, each with its state; none without that folder."""
    found: dict[Path, Stamp] = {}
    try:
        folders = [entry for entry in os.scandir(results) if not entry.name.startswith(".")]
    except FileNotFoundError:
        return found
    for folder in folders:
        path = Path(folder.path, MOMENTS)
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_ino, status.st_size)
    return found


def decode_embeddings(rows: list[bytes]) -> NDArray[np.float32]:
    """Return embeddings as float32 [N, E] from N rows of E little-endian float16.

    Raises ValueError when rows are empty, differ in length, or hold values that are no finite numbers.
    """
    lengths = {len(row) for row in rows}
    if len(lengths) != 1 or min(lengths) < 2 or min(lengths) % 2:
        raise ValueError(f"embeddings of {sorted(lengths)} bytes")
    embeddings = np.frombuffer(b"".join(rows), dtype="<f2").reshape(len(rows), -1).astype(np.float32)
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings that are no finite numbers")
    return embeddings
