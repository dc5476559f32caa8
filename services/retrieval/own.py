"""The faces of the user's own finished clips, as a gallery that grows with the results folder."""

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from services.retrieval.gallery import Gallery, GalleryFace, empty_gallery, extend
from shared.moments import Stamp, decode_embeddings, stamps
from shared.summary import SUMMARY

logger = logging.getLogger(__name__)

_COLUMNS: Final = ["frame", "time_s", "emotion", "embedding"]
_MOST: Final = 10_000_000


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
    now = stamps(results)
    if any(now.get(path) != stamp for path, stamp in own.seen.items()):
        own = OwnFaces(own.model)
    gallery = own.gallery
    for path in sorted(now.keys() - own.seen.keys()):
        try:
            gallery = _add_clip(gallery, own.model, path)
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            logger.warning("moments of %s are left out: %s", path.parent.name, str(error).split("\n", 1)[0])
    return OwnFaces(own.model, gallery, now)


def _add_clip(gallery: Gallery | None, model: str, path: Path) -> Gallery | None:
    if pq.read_metadata(path).num_rows > _MOST:
        raise ValueError(f"more than {_MOST:,} rows")
    table = pq.read_table(path, columns=_COLUMNS, filters=[("model", "=", model)])
    if not table.num_rows:
        return gallery
    summary = json.loads((path.parent / SUMMARY).read_text(encoding="utf-8"))
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
