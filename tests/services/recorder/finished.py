"""The results folder of a made clip: two tracks, a cut, a stretch without a face, a face given up."""

import io
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from services.recorder.files import write_tables
from services.recorder.moments import build_moments
from services.recorder.timeline import build_timeline
from shared.messages import Frame, Reading
from tests.services.recorder.makers import HAPPY, SAD, explanation, place, reading

NAME = "evening/Tom & <b>Ann</b>.mp4"


def jpeg(grey: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((16, 16, 3), grey, np.uint8)).save(file, "JPEG")
    return file.getvalue()


def readings() -> list[Reading]:
    """Track 0 is happy, then sad, in frames 0–19; track 1 is happy in frames 30–39, given up in frame 39."""
    found = []
    for frame in (*range(20), *range(30, 39)):
        track, shot = (0, 0) if frame < 20 else (1, 1)
        shown = HAPPY if frame < 10 or track == 1 else SAD
        picture = msgspec.structs.replace(explanation(), aligned=jpeg(40 + frame)) if frame % 5 == 0 else None
        found.append(reading(place(frame, track=track, shot=shot), shown, explanation=picture))
    return [*found, reading(place(39, track=1, shot=1), None)]


def write_finished(folder: Path, *, pictures: bool = True, **summary: Any) -> Path:
    """Write the tables of 40 frames at 25/s into a folder, as the recorder does, and return it."""
    found = readings()
    frames = [Frame(index, index / 25, int(index >= 25), 0) for index in range(40)]
    known = {
        "id": "0123456789abcdef",
        "clip": NAME,
        "model": "nano@00000000",
        "width": 640,
        "height": 360,
        "duration_s": 1.6,
        "frames": 40,
        "frames_with_faces": 30,
        "faces": 30,
        "failed_faces": 1,
        "tracks": 2,
        "shots": 2,
        "emotions": {"happy": 19 / 29, "sad": 10 / 29},
        "warnings": ["a <i>warning</i>"],
        "wall_s": 2.0,
        "frames_per_s": 20.0,
    }
    folder.mkdir(parents=True)
    timeline = build_timeline(frames, found)
    write_tables(folder, timeline, build_moments(found, [], pictures=pictures), known | summary)
    return folder


def pictures_of(folder: Path) -> dict[int, bytes]:
    """Return the pictures that the moments of a folder hold, by frame."""
    table = pq.read_table(folder / "moments.parquet", columns=["frame", "aligned"]).to_pylist()
    return {row["frame"]: row["aligned"] for row in table if row["aligned"]}


def summary_of(folder: Path) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return known
