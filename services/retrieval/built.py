"""A gallery that was built from a data set: a folder that names the model whose embeddings it holds.

`gallery/<model id>/` holds `gallery.json` (`format_version`, `model`, `dimension`, `faces`), `embeddings.npy`
(float16 or float32 [N, E]) and `faces.parquet` (columns `label` and `path`, a row for each embedding).
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from services.retrieval.gallery import Gallery, GalleryFace, empty_gallery, extend
from shared.emotions import EMOTIONS
from shared.errors import DataError

HEAD: Final = "gallery.json"
_WIDEST: Final = 4096
_MOST: Final = 10_000_000
_MODEL_ID: Final = re.compile(r"\w[\w.@+-]{0,200}")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """`gallery.json`: whose embeddings these are, how wide, and how many."""

    format_version: Literal[1]
    model: str
    dimension: Annotated[int, msgspec.Meta(ge=1, le=_WIDEST)]
    faces: Annotated[int, msgspec.Meta(ge=0, le=_MOST)]


def gallery_folder(galleries: Path, model: str) -> Path | None:
    """Return the folder of a model's gallery, or None when there is none, or the id is no folder name."""
    folder = galleries / model
    return folder if _MODEL_ID.fullmatch(model) and (folder / HEAD).is_file() else None


def read_gallery(folder: Path, model: str) -> Gallery:
    """Read the gallery of `model` from its folder.

    Raises DataError when it is another model's, when a file is missing or damaged, or when the files do not
    fit each other.
    """
    try:
        head = msgspec.json.decode((folder / HEAD).read_bytes(), type=Head)
        if head.model != model:
            raise DataError(f"gallery {folder} holds embeddings of {head.model}, not of {model}")
        # mapped, not read: a header that promises more than there is allocates nothing, and no pickle is read
        embeddings = np.lib.format.open_memmap(folder / "embeddings.npy", mode="r")
        rows = pq.read_metadata(folder / "faces.parquet").num_rows
        _check(folder, head, embeddings, rows)
        table = pq.read_table(folder / "faces.parquet", columns=["label", "path"])
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
