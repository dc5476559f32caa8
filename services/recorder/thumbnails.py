"""Thumbnails: the best face of each track, as JPEG files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

THUMBNAILS: Final = "thumbnails"


def best_faces(timeline: pd.DataFrame, moments: pa.Table) -> dict[int, bytes]:
    """Return the best picture of each track, an aligned face as JPEG, by track.

    Among a track's faces in `moments` (columns `frame`, `face`, `track`, `aligned` of `moments.SCHEMA`) that
    hold a picture, those whose landmarks were found come first, then the one whose box's side (the root of
    its area, in pixels) times confidence is largest; of equals the earliest. A track without a picture is
    left out. Of moments by person (`persons.moments_by_person`) it is the best of each person.
    """
    pictured = moments.filter(pc.greater(pc.binary_length(moments["aligned"]), 0))
    known = pictured.select(["frame", "face", "track"]).to_pandas()
    known["row"] = range(len(known))
    seen = timeline[["frame", "face", "aligned", "confidence", "box_w", "box_h"]]
    known = known.merge(seen, on=["frame", "face"])
    area = known["box_w"].astype("float64") * known["box_h"].astype("float64")
    known["worth"] = area**0.5 * known["confidence"].astype("float64")
    known["aligned"] = known["aligned"].fillna(False).astype(bool)
    order = known.sort_values(["aligned", "worth", "frame"], ascending=[False, False, True])
    best = order.drop_duplicates("track").sort_values("track")
    pictures = pictured["aligned"].take(pa.array(best["row"], pa.int64())).to_pylist()
    return dict(zip(best["track"].tolist(), pictures, strict=True))


def write_thumbnails(folder: Path, faces: Mapping[int, bytes]) -> None:
    """Write `track-0001.jpg`, … into a folder, which is made for the first; one file per track."""
    if faces:
        folder.mkdir(parents=True, exist_ok=True)
    for track, picture in faces.items():
        (folder / f"track-{track:04}.jpg").write_bytes(picture)
