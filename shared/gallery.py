"""A gallery that was built from a data set, on disk: a folder that names the model whose embeddings it holds.

`gallery/<model id>/` holds `gallery.json` (a `Head`), `embeddings.npy` (float16 or float32 [N, E]) and
`faces.parquet` (columns `label` and `path`, a row for each embedding).
"""

import re
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

HEAD_FILE: Final = "gallery.json"
EMBEDDINGS_FILE: Final = "embeddings.npy"
FACES_FILE: Final = "faces.parquet"
_WIDEST: Final = 4096
_MOST: Final = 10_000_000
_MODEL_ID: Final = re.compile(r"\w[\w.@+-]{0,200}")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """`gallery.json`: whose embeddings these are, how wide, and how many."""

    format_version: Literal[1] = 1
    model: str
    dimension: Annotated[int, msgspec.Meta(ge=1, le=_WIDEST)]
    faces: Annotated[int, msgspec.Meta(ge=0, le=_MOST)]


def gallery_folder(galleries: Path, model: str) -> Path | None:
    """Return the folder of a model's gallery, or None when there is none, or the id is no folder name."""
    folder = galleries / model
    return folder if _MODEL_ID.fullmatch(model) and (folder / HEAD_FILE).is_file() else None


def list_galleries(galleries: Path) -> list[Head]:
    """Return the heads of all galleries, by model; folders with another model's head are left out."""
    heads = []
    for file in sorted(galleries.glob(f"*/{HEAD_FILE}")):
        try:
            head = msgspec.json.decode(file.read_bytes(), type=Head)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            continue
        if head.model == file.parent.name:
            heads.append(head)
    return heads
