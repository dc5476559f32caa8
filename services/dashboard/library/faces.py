"""The explained faces of a finished clip, from its results folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.moments import decode_embeddings
from shared.summary import SUMMARY

UNKNOWN: Final = -1
"""In place of whether the neighbours agree, where there are none."""

_MOMENTS: Final = ["frame", "face", "track", "time_s", "model", "agrees", "embedding"]
_PROBABILITIES: Final = [f"p_{emotion}" for emotion in EMOTIONS]


@dataclass(frozen=True, eq=False)
class Faces:
    """The explained faces of one clip that one model has read, N of them.

    `clip` is the clip's id, `name` and `content` as in `summary.json`. `row` int64 [N] is the faces' row in
    `moments.parquet`; `frame`, `face`, `track` int64 [N] and `time_s` float64 [N] (seconds) are as in there;
    `agrees` int8 [N] is 1 where the neighbours carry the emotion, 0 where not; `probabilities` float32 [N, 7]
    in the order of `EMOTIONS`; `embeddings` float32 [N, E], of length 1.
    """

    clip: str
    name: str
    content: str
    folder: Path
    model: str
    row: NDArray[np.int64]
    frame: NDArray[np.int64]
    face: NDArray[np.int64]
    track: NDArray[np.int64]
    time_s: NDArray[np.float64]
    agrees: NDArray[np.int8]
    probabilities: NDArray[np.float32]
    embeddings: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def emotion(self) -> NDArray[np.int64]:
        """The likeliest emotion of each, int64 [N], indices into `EMOTIONS`; of equals, the first."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Its probability, float32 [N], 0–1."""
        return np.asarray(self.probabilities.max(axis=1), np.float32)

    @property
    def margin(self) -> NDArray[np.float32]:
        """By how much it is likelier than the second likeliest, float32 [N], 0–1.

        Source: margin sampling (Scheffer et al. 2001; Settles, Active Learning Literature Survey, 3.1).
        """
        best = np.partition(self.probabilities, -2, axis=1)[:, -2:]
        return np.asarray(best[:, 1] - best[:, 0], np.float32)


def read_faces(path: Path, most: int) -> Iterator[Faces]:
    """Yield the faces in a file of moments, those of each model together; `timeline.parquet` lies beside it.

    Raises OSError, ValueError, KeyError, TypeError or ArrowException when the files cannot be read, are
    damaged, or have more than `most` faces.
    """
    if pq.read_metadata(path).num_rows > most:
        raise ValueError(f"more than {most:,} rows")
    summary = json.loads((path.parent / SUMMARY).read_text(encoding="utf-8"))
    moments = pq.read_table(path, columns=_MOMENTS).to_pandas()
    moments["row"] = np.arange(len(moments))
    columns = ["frame", "face", *_PROBABILITIES]
    timeline = pq.read_table(path.with_name("timeline.parquet"), columns=columns).to_pandas()
    known = moments.merge(timeline.dropna(), on=["frame", "face"])
    for model, rows in known.groupby("model", sort=False):
        yield _faces(summary, path.parent, str(model), rows)


def _faces(summary: dict[str, object], folder: Path, model: str, rows: pd.DataFrame) -> Faces:
    return Faces(
        clip=str(summary["id"]),
        name=str(summary["clip"]),
        content=str(summary.get("content", "")),
        folder=folder,
        model=model,
        row=rows["row"].to_numpy(np.int64),
        frame=rows["frame"].to_numpy(np.int64),
        face=rows["face"].to_numpy(np.int64),
        track=rows["track"].to_numpy(np.int64),
        time_s=rows["time_s"].to_numpy(np.float64),
        agrees=np.array([UNKNOWN if each is None else each for each in rows["agrees"]], np.int8),
        probabilities=rows[_PROBABILITIES].to_numpy(np.float32),
        embeddings=decode_embeddings(rows["embedding"].tolist()),
    )
