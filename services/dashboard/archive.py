"""The files of finished clips → the same plain data as from the broker."""

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from services.dashboard.view import Answer, Explained, Moment, View
from shared.emotions import EMOTIONS
from shared.errors import ReelmoodError
from shared.messages import Explanation, Neighbour
from shared.moments import MOMENTS
from shared.queues.clips import Clip, State
from shared.summary import SUMMARY

_PROBABILITIES: Final = [f"p_{emotion}" for emotion in EMOTIONS]
_PICTURED: Final = ["embedding", "cam", "cam_side", "aligned", "neighbours", "agrees"]
_UNREADABLE: Final = (OSError, pa.ArrowException, KeyError, ValueError, msgspec.MsgspecError)
_LIMIT: Final = 200


def archived_clips(results: Path) -> list[Clip]:
    """Return the clips with a summary in the results folder, the newest first."""
    found = []
    for summary in results.glob(f"[!.]*/{SUMMARY}"):
        try:
            found.append((summary.stat().st_mtime_ns, summary))
        except OSError:
            continue
    newest = sorted(found, reverse=True)[:_LIMIT]
    return [clip for clip in (_summary(path, changed) for changed, path in newest) if clip is not None]


@lru_cache(maxsize=2 * _LIMIT)
def _summary(path: Path, changed_ns: int) -> Clip | None:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Clip(
            id=str(known["id"]),
            name=str(known["clip"]),
            path="",
            results=str(path.parent.parent),
            model=str(known["model"]),
            content=str(known.get("content", "")),
            blur=known.get("blur") is True,
            state=State.DONE,
            out=str(path.parent),
            frames=int(known["frames"]),
            faces=int(known["faces"]),
            done=int(known["faces"]) - int(known.get("failed_faces", 0)),
            failed=int(known.get("failed_faces", 0)),
            created_s=changed_ns / 1e9,
            finished_s=changed_ns / 1e9,
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def load(clip_id: str, folder: Path) -> View:
    """Read a finished clip's `timeline.parquet` and, where there is one, what is in `moments.parquet`.

    Raises ReelmoodError, in one line, when they cannot be read.
    """
    try:
        return _load(clip_id, folder)
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0]
        raise ReelmoodError(f"the files in {folder} cannot be read: {reason}") from None


def _load(clip_id: str, folder: Path) -> View:
    columns = ["frame", "time_s", "shot", "face", "track", *_PROBABILITIES]
    timeline = pq.read_table(folder / "timeline.parquet", columns=columns).to_pandas()
    read = timeline[timeline[_PROBABILITIES[0]].notna() & timeline["track"].notna()]
    view = View(
        clip=clip_id,
        time_s=read["time_s"].to_numpy(np.float64),
        track=read["track"].to_numpy(np.int64),
        shot=read["shot"].to_numpy(np.int64),
        probabilities=read[_PROBABILITIES].to_numpy(np.float32),
        shots={int(each): float(first) for each, first in timeline.groupby("shot")["time_s"].min().items()},
        last_frame=int(timeline["frame"].iloc[-1]) if len(timeline) else -1,
        last_s=float(timeline["time_s"].iloc[-1]) if len(timeline) else 0.0,
        archived=True,
    )
    moments = folder / MOMENTS
    return replace(view, explained=_explained(moments, read)) if moments.exists() else view


def read_face(explained: Explained, index: int) -> tuple[Moment, Answer]:
    """Read one of the explained faces of a finished clip, and its neighbours.

    Raises ReelmoodError, in one line, when they cannot be read.
    """
    try:
        group, row = _place(explained.path, explained.changed_ns, int(explained.row[index]))
        face = _group(explained.path, explained.changed_ns, group).slice(row, 1).to_pylist()[0]
        frame, time_s = int(explained.frame[index]), float(explained.time_s[index])
        moment = Moment(
            track=int(explained.track[index]),
            shot=int(explained.shot[index]),
            frame=frame,
            time_s=time_s,
            probabilities=tuple(float(each) for each in explained.probabilities[index]),
            explanation=msgspec.convert(face, Explanation),
        )
        nearest = msgspec.json.decode(face["neighbours"] or "[]", type=tuple[Neighbour, ...])
        return moment, Answer(frame, time_s, nearest, face["agrees"])
    except (*_UNREADABLE, IndexError) as error:
        raise ReelmoodError(f"{explained.path} cannot be read: {str(error).splitlines()[0]}") from None


def _explained(path: Path, read: pd.DataFrame) -> Explained:
    places = pq.read_table(path, columns=["frame", "face"]).to_pandas()
    places["row"] = np.arange(len(places))
    found = read.merge(places, on=["frame", "face"]).sort_values("time_s", kind="stable")
    return Explained(
        path=path,
        changed_ns=path.stat().st_mtime_ns,
        row=found["row"].to_numpy(np.int64),
        frame=found["frame"].to_numpy(np.int64),
        time_s=found["time_s"].to_numpy(np.float64),
        track=found["track"].to_numpy(np.int64),
        shot=found["shot"].to_numpy(np.int64),
        probabilities=found[_PROBABILITIES].to_numpy(np.float32),
    )


@lru_cache(maxsize=8)
def _ends(path: Path, changed_ns: int) -> NDArray[np.int64]:  # noqa: ARG001 - part of the cache's key
    """Return the row after the last of each row group of a Parquet file."""
    metadata = pq.read_metadata(path)
    return np.cumsum([metadata.row_group(each).num_rows for each in range(metadata.num_row_groups)])


@lru_cache(maxsize=8)
def _group(path: Path, changed_ns: int, group: int) -> pa.Table:  # noqa: ARG001 - part of the cache's key
    with pq.ParquetFile(path) as file:
        return file.read_row_group(group, columns=_PICTURED)


def _place(path: Path, changed_ns: int, row: int) -> tuple[int, int]:
    """Return the row group in which a row is, and its place there."""
    ends = _ends(path, changed_ns)
    group = int(np.searchsorted(ends, row, "right"))
    return group, row - (int(ends[group - 1]) if group else 0)
