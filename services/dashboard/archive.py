"""The files of finished clips → the same plain data as from the broker."""

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from services.dashboard.view import Answer, Moment, View
from shared.emotions import EMOTIONS
from shared.errors import ReelmoodError
from shared.messages import Explanation, Neighbour
from shared.queues.clips import Clip, State

_PROBABILITIES: Final = [f"p_{emotion}" for emotion in EMOTIONS]
_LIMIT: Final = 200


def archived_clips(results: Path) -> list[Clip]:
    """Return the clips with a summary in the results folder, the newest first."""
    found = []
    for summary in results.glob("[!.]*/summary.json"):
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
    """Read a finished clip's `timeline.parquet` and, where there is one, `moments.parquet`.

    Raises ReelmoodError, in one line, when they cannot be read.
    """
    try:
        return _load(clip_id, folder)
    except (OSError, pa.ArrowException, KeyError, ValueError, msgspec.MsgspecError) as error:
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
    moments = folder / "moments.parquet"
    return _with_moments(view, read, moments) if moments.exists() else view


def _with_moments(view: View, read: pd.DataFrame, path: Path) -> View:
    places = pq.read_table(path, columns=["frame", "face"]).to_pandas()
    places["row"] = np.arange(len(places))
    latest = read.merge(places, on=["frame", "face"]).sort_values("frame").groupby("track").tail(1)
    rows = pq.read_table(path).take(pa.array(latest["row"].to_numpy(np.int64))).to_pylist()
    moments, answers = {}, {}
    for row, seen in zip(rows, latest.to_dict("records"), strict=True):
        track = int(row["track"])
        explanation = msgspec.convert(row, Explanation)
        probabilities = tuple(float(seen[column]) for column in _PROBABILITIES)
        moments[track] = Moment(
            track, int(seen["shot"]), row["frame"], row["time_s"], probabilities, explanation
        )
        nearest = tuple(_neighbours(row["neighbours"]))
        answers[track] = Answer(row["frame"], row["time_s"], nearest, row["agrees"])
    return replace(view, moments=moments, answers=answers)


def _neighbours(text: str | None) -> Iterable[Neighbour]:
    return msgspec.json.decode(text or "[]", type=list[Neighbour])
