"""The faces of the user's own finished clips, as a gallery that grows with the results folder."""

import json
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from services.retrieval.gallery import Gallery, GalleryFace, empty_gallery, extend

logger = logging.getLogger(__name__)

_MOMENTS: Final = "moments.parquet"
_COLUMNS: Final = ["frame", "time_s", "emotion", "embedding"]
_MOST: Final = 10_000_000
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class OwnFaces:
    """What has been gathered for a model, and from which state of which files."""

    model: str
    gallery: Gallery | None = None
    seen: dict[Path, Stamp] = field(default_factory=dict)


def refresh(own: OwnFaces, results: Path) -> OwnFaces:
    """Return the faces of all finished clips in `results` that `own.model` has read.

    Only folders that came since are read; when one is gone or has changed, all are read again. A folder that
    cannot be read is left out, with a warning in the log.
    """
    now = _stamps(results)
    if any(now.get(path) != stamp for path, stamp in own.seen.items()):
        own = OwnFaces(own.model)
    gallery = own.gallery
    for path in sorted(now.keys() - own.seen.keys()):
        try:
            gallery = _add_clip(gallery, own.model, path)
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            logger.warning("moments of %s are left out: %s", path.parent.name, str(error).split("\n", 1)[0])
    return OwnFaces(own.model, gallery, now)


def _stamps(results: Path) -> dict[Path, Stamp]:
    found: dict[Path, Stamp] = {}
    try:
        folders = [entry for entry in os.scandir(results) if not entry.name.startswith(".")]
    except FileNotFoundError:
        return found
    for folder in folders:
        path = Path(folder.path, _MOMENTS)
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


def _add_clip(gallery: Gallery | None, model: str, path: Path) -> Gallery | None:
    if pq.read_metadata(path).num_rows > _MOST:
        raise ValueError(f"more than {_MOST:,} rows")
    table = pq.read_table(path, columns=_COLUMNS, filters=[("model", "=", model)])
    if not table.num_rows:
        return gallery
    summary = json.loads((path.parent / "summary.json").read_text(encoding="utf-8"))
    clip, source = str(summary["id"]), str(summary["clip"])
    if gallery and clip in gallery.clips:
        return gallery
    embeddings = decode_embeddings(table["embedding"].to_pylist())
    faces = [
        GalleryFace(row["emotion"], source, row["frame"], row["time_s"])
        for row in table.drop_columns(["embedding"]).to_pylist()
    ]
    gallery = gallery or empty_gallery(model, embeddings.shape[1])
    extend(gallery, embeddings, faces, clip)
    return gallery


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
