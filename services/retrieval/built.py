"""A gallery that was built from a data set, read from its folder (`shared.gallery`)."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from services.retrieval.gallery import Gallery, GalleryFace, empty_gallery, extend
from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.gallery import EMBEDDINGS_FILE, FACES_FILE, HEAD_FILE, Head


def read_gallery(folder: Path, model: str) -> Gallery:
    """Read the gallery of `model` from its folder.

    Raises DataError when it is another model's, when a file is missing or damaged, or when the files do not
    fit each other.
    """
    try:
        head = msgspec.json.decode((folder / HEAD_FILE).read_bytes(), type=Head)
        if head.model != model:
            raise DataError(f"gallery {folder} holds embeddings of {head.model}, not of {model}")
        # mapped, not read: a header that promises more than there is allocates nothing, and no pickle is read
        embeddings = np.lib.format.open_memmap(folder / EMBEDDINGS_FILE, mode="r")
        rows = pq.read_metadata(folder / FACES_FILE).num_rows
        _check(folder, head, embeddings, rows)
        table = pq.read_table(folder / FACES_FILE, columns=["label", "path"])
    except (OSError, EOFError, ValueError, pa.ArrowException) as error:
        raise DataError(f"gallery {folder} cannot be read: {_first_line(error)}") from None
    labels, paths = table["label"].to_pylist(), table["path"].to_pylist()
    if not set(labels) <= set(EMOTIONS):
        raise DataError(f"gallery {folder} holds labels other than {', '.join(EMOTIONS)}")
    gallery = empty_gallery(model, head.dimension)
    extend(
        gallery,
        np.asarray(embeddings, np.float32),
        [GalleryFace(label, str(path)) for label, path in zip(labels, paths, strict=True)],
    )
    return gallery


def _check(folder: Path, head: Head, embeddings: NDArray[np.floating[Any]], rows: int) -> None:
    if embeddings.shape != (head.faces, head.dimension) or rows != head.faces:
        raise DataError(
            f"gallery {folder} promises {head.faces} faces of {head.dimension} values,"
            f" has {embeddings.shape} embeddings and {rows} labels"
        )
    if embeddings.dtype.kind != "f" or not np.isfinite(embeddings).all():
        raise DataError(f"gallery {folder} holds embeddings that are no finite numbers")


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0] or type(error).__name__
