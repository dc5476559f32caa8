"""The summary of a clip: what `summary.json` says."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from shared.emotions import EMOTIONS
from shared.figures.durations import frame_durations
from shared.queues.clips import Clip


def build_summary(clip: Clip, timeline: pd.DataFrame, warnings: Sequence[str]) -> dict[str, Any]:
    """Return the summary of a clip from its timeline (columns `shared.timeline.COLUMNS`), ready for JSON.

    `model` names the models that read the faces. `emotions` are shares of face time: each read face counts
    for its emotion as long as its frame is shown; they sum to 1, and there are none without read faces.
    `dropped` counts by reason what is missing from the timeline (`frame_lost`: gaps in the frame numbers): a
    file is analysed without loss, so it is zero for one. `failed_faces` were found, but given up by the
    workers. `wall_s` runs from the start of decoding to the last reading; `frames_per_s` is None when that
    took no time.
    """
    frames = timeline.drop_duplicates("frame")[["frame", "time_s", "shot"]]
    durations = pd.Series(frame_durations(frames["time_s"]), index=frames["frame"])
    faces = timeline[timeline["face"].notna()]
    read = faces[faces["emotion"].notna()]
    wall_s = max(clip.finished_s - (clip.started_s or clip.created_s), 0.0)
    return {
        "id": clip.id,
        "clip": clip.name,
        "source": PurePosixPath(clip.name).name,
        "content": clip.content,
        "model": ", ".join(read["model"].unique()) or clip.model,
        "blur": clip.blur,
        "width": clip.width,
        "height": clip.height,
        "duration_s": float(durations.sum()),
        "frames": len(frames),
        "frames_with_faces": int(faces["frame"].nunique()),
        "faces": len(faces),
        "failed_faces": max(clip.faces, len(faces)) - len(read),
        "tracks": len(faces[["shot", "track"]].drop_duplicates()),
        "shots": int(frames["shot"].nunique()),
        "emotions": _shares(read, durations),
        "dropped": _dropped(clip, frames["frame"]),
        "warnings": list(warnings),
        "wall_s": wall_s,
        "frames_per_s": len(frames) / wall_s if wall_s > 0 else None,
    }


def _shares(read: pd.DataFrame, durations: "pd.Series[float]") -> dict[str, float]:
    if read.empty:
        return {}
    weights = durations.loc[read["frame"]].to_numpy()
    if weights.sum() == 0:
        weights = np.ones(len(read))
    emotions = read["emotion"].to_numpy(dtype=object)
    return {emotion: float(weights[emotions == emotion].sum() / weights.sum()) for emotion in EMOTIONS}


def _dropped(clip: Clip, numbers: "pd.Series[int]") -> dict[str, int]:
    """Return what is missing; gaps that the source itself accounts for have their own reasons."""
    return {**clip.dropped, "frame_lost": max(0, _gaps(numbers) - sum(clip.dropped.values()))}


def _gaps(numbers: "pd.Series[int]") -> int:
    return int(numbers.max()) + 1 - len(numbers) if len(numbers) else 0
