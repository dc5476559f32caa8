"""Search over finished clips: from a face to the moments like it, over results folders of growing number."""

import io
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from benchmarks.machine import Machine, describe_machine
from benchmarks.retrieval import normalised
from benchmarks.timing import Tell, percentile
from shared.emotions import EMOTIONS
from shared.moments import MOMENTS, ROW_GROUP
from shared.summary import SUMMARY

_FPS: Final = 25
_SIDE: Final = 112


class Search(Protocol):
    """What is measured: the faces of a results folder, held in memory."""

    def open(self) -> int:
        """Read the faces, and return how many there are."""

    def ask(self, clip: str, track: int, frame: int) -> int:
        """Do all that a page with the moments like a face takes; return how many are on it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: `sizes` faces in clips of `clip_faces`, `queries` pages, one after the other.

    Tracks have `track_faces` faces, which lie around a direction of their own. Every face has a picture of
    noise, larger than that of a face.
    """

    sizes: tuple[int, ...] = (10_000, 100_000)
    clip_faces: int = 5_000
    track_faces: int = 50
    dimension: int = 512
    queries: int = 30
    spread: float = 0.7
    seed: int = 0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A number of faces: the seconds to read them all once, and the milliseconds that a page takes."""

    faces: int
    clips: int
    open_s: float
    p50_ms: float
    p95_ms: float
    hits: int


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    rows: tuple[Row, ...]


def measure(settings: Settings, make_search: Callable[[Path], Search], tell: Tell) -> Measured:
    """Write results folders, read them, and time pages; `make_search` makes what is measured of a folder."""
    machine = describe_machine()
    rows = []
    for size in settings.sizes:
        with tempfile.TemporaryDirectory(prefix="reelmood-search-") as folder:
            clips = write_results(Path(folder), settings, size)
            rows.append(_row(make_search(Path(folder)), settings, clips))
        tell(f"{size:,} faces: {rows[-1].p50_ms:.3g} ms a page, read in {rows[-1].open_s:.2g} s")
    return Measured(machine=machine, settings=settings, rows=tuple(rows))


def write_results(folder: Path, settings: Settings, size: int) -> list[str]:
    """Write the results folders of clips with `size` explained faces in all, and return the clips' ids."""
    rng = np.random.default_rng(settings.seed)
    picture = _picture(rng)
    clips = [f"clip-{number:04}" for number in range(-(-size // settings.clip_faces))]
    for number, clip in enumerate(clips):
        count = min(settings.clip_faces, size - number * settings.clip_faces)
        _write_clip(folder / clip, clip, settings, count, picture, rng)
    return clips


def _row(search: Search, settings: Settings, clips: list[str]) -> Row:
    began = time.perf_counter()
    faces = search.open()
    opened_s = time.perf_counter() - began
    smallest = (faces - 1) % settings.clip_faces + 1
    rng = np.random.default_rng(settings.seed + 1)
    seconds, hits = [], 0
    for number in range(settings.queries + 1):
        frame = int(rng.integers(smallest))
        began = time.perf_counter()
        hits = search.ask(clips[int(rng.integers(len(clips)))], frame // settings.track_faces, frame)
        if number:
            seconds.append(time.perf_counter() - began)
    return Row(
        faces=faces,
        clips=len(clips),
        open_s=opened_s,
        p50_ms=1000 * percentile(seconds, 50),
        p95_ms=1000 * percentile(seconds, 95),
        hits=hits,
    )


def _write_clip(
    folder: Path, clip: str, settings: Settings, count: int, picture: bytes, rng: np.random.Generator
) -> None:
    frames = np.arange(count)
    tracks = frames // settings.track_faces
    shares = rng.dirichlet(np.full(len(EMOTIONS), 0.5), count).astype(np.float32)
    known = pd.DataFrame({"frame": frames, "face": 0, "track": tracks, "time_s": frames / _FPS})
    moments = known.assign(
        emotion=[EMOTIONS[best] for best in shares.argmax(axis=1)],
        model="made@00000000",
        embedding=[row.tobytes() for row in _embeddings(tracks, settings, rng)],
        cam=bytes(196),
        cam_side=14,
        aligned=picture,
        neighbours="[]",
        agrees=True,
    )
    timeline = known.assign(**{f"p_{name}": shares[:, place] for place, name in enumerate(EMOTIONS)})
    folder.mkdir()
    pq.write_table(pa.Table.from_pandas(moments), folder / MOMENTS, row_group_size=ROW_GROUP)
    timeline.to_parquet(folder / "timeline.parquet", index=False)
    (folder / SUMMARY).write_text(json.dumps({"id": clip, "clip": f"{clip}.mp4", "content": ""}))


def _embeddings(
    tracks: NDArray[np.int64], settings: Settings, rng: np.random.Generator
) -> NDArray[np.float16]:
    centres = normalised(rng.standard_normal((int(tracks.max()) + 1, settings.dimension), np.float32))
    noise = normalised(rng.standard_normal((len(tracks), settings.dimension), np.float32))
    return normalised(centres[tracks] + np.float32(settings.spread) * noise).astype("<f2")


def _picture(rng: np.random.Generator) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()
