"""The moments of a clip: its explained faces, with what the dashboard and retrieval need of them later."""

from collections.abc import Iterable
from typing import Final

import msgspec
import pyarrow as pa

from services.recorder.timeline import top_emotion
from shared.messages import Neighbours, Reading

SCHEMA: Final = pa.schema(
    {
        "frame": pa.int64(),
        "time_s": pa.float64(),
        "face": pa.int32(),
        "track": pa.int32(),
        "emotion": pa.string(),
        "model": pa.string(),
        "embedding": pa.binary(),
        "cam": pa.binary(),
        "cam_side": pa.int32(),
        "aligned": pa.binary(),
        "neighbours": pa.string(),
        "agrees": pa.bool_(),
    }
)
"""Columns of `moments.parquet`; the binary ones as in `shared.messages.Explanation`."""


def build_moments(readings: Iterable[Reading], neighbours: Iterable[Neighbours]) -> pa.Table:
    """Return the table (`SCHEMA`) of the faces that carry an explanation, ordered by frame, then face.

    `neighbours` is a JSON list of objects with the fields of `shared.messages.Neighbour`, the most similar
    first, empty where none were found; `agrees` is null there. A face stands in the table once.
    """
    found: dict[tuple[int, int], Neighbours] = {}
    for each in neighbours:
        found.setdefault((each.place.frame, each.place.face), each)
    rows: dict[tuple[int, int], dict[str, object]] = {}
    for reading in readings:
        at = reading.place.frame, reading.place.face
        if reading.explanation is None or reading.probabilities is None or at in rows:
            continue
        rows[at] = {
            "frame": reading.place.frame,
            "time_s": reading.place.time_s,
            "face": reading.place.face,
            "track": reading.place.track,
            "emotion": top_emotion(reading.probabilities)[0],
            "model": reading.model,
            **msgspec.structs.asdict(reading.explanation),
            "neighbours": msgspec.json.encode(found[at].nearest if at in found else []).decode(),
            "agrees": found[at].agrees if at in found else None,
        }
    return pa.Table.from_pylist([rows[at] for at in sorted(rows)], schema=SCHEMA)
