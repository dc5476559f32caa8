"""The moments of a clip: its explained faces, with what the dashboard and retrieval need of them later."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from services.recorder.timeline import top_emotion
from shared.messages import Neighbour, Neighbours, Reading
from shared.moments import MOMENTS, ROW_GROUP

logger = logging.getLogger(__name__)

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

_decoder = msgspec.json.Decoder(list[Neighbour])


def build_moments(
    readings: Iterable[Reading], neighbours: Iterable[Neighbours], *, pictures: bool = True
) -> pa.Table:
    """Return the table (`SCHEMA`) of the faces that carry an explanation, ordered by frame, then face.

    `neighbours` is a JSON list of objects with the fields of `shared.messages.Neighbour`, the most similar
    first, empty where none were found; `agrees` is null there. A face stands in the table once. Without
    `pictures`, `aligned` is empty.
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
            **({} if pictures else {"aligned": b""}),
            "neighbours": msgspec.json.encode(found[at].nearest if at in found else []).decode(),
            "agrees": found[at].agrees if at in found else None,
        }
    return pa.Table.from_pylist([rows[at] for at in sorted(rows)], schema=SCHEMA)


def drop_source(folder: Path, source: str) -> bool:
    """Take the faces of another clip, `source` by name, out of the neighbours in a results folder's moments.

    Returns whether there were some: the file is then replaced as a whole. A file that cannot be read is left,
    with a warning in the log. Raises OSError when it cannot be written.
    """
    path = folder / MOMENTS
    try:
        table = pq.read_table(path)
        lists = [_decoder.decode(text or "[]") for text in table["neighbours"].to_pylist()]
    except FileNotFoundError:
        return False
    except (pa.ArrowException, KeyError, msgspec.MsgspecError) as error:
        logger.warning("moments of %s cannot be read: %s", folder.name, str(error).split("\n", 1)[0])
        return False
    kept = [[one for one in found if one.source != source] for found in lists]
    if kept == lists:
        return False
    texts = pa.array([msgspec.json.encode(found).decode() for found in kept], pa.string())
    at = table.schema.get_field_index("neighbours")
    partial = folder / f".{MOMENTS}.part"
    pq.write_table(table.set_column(at, "neighbours", texts), partial, row_group_size=ROW_GROUP)
    partial.replace(path)
    return True
