"""Made embeddings, galleries and results folders for the tests of retrieval."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shared.messages import Box, Place, Query

MODEL = "nano@00000000"
OTHER = "large@11111111"


def unit(*values: float) -> bytes:
    vector = np.asarray(values, dtype=np.float64)
    return (vector / np.linalg.norm(vector)).astype("<f2").tobytes()


def query(embedding: bytes, *, model: str = MODEL, clip: str = "asking", emotion: str = "happy") -> Query:
    where = Place(clip=clip, frame=4, time_s=0.16, shot=0, face=0, track=2, box=Box(0, 0, 9, 9))
    return Query(place=where, model=model, emotion=emotion, embedding=embedding)


def finish_clip(
    results: Path, name: str, clip_id: str, faces: list[tuple[str, bytes]], *, model: str = MODEL
) -> Path:
    """Make the results folder of a finished clip; `faces` are emotions and embeddings, one per frame."""
    folder = results / name
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps({"id": clip_id, "clip": f"{name}.mp4"}))
    columns = {
        "frame": pa.array(range(len(faces)), pa.int64()),
        "time_s": pa.array([index / 25 for index in range(len(faces))], pa.float64()),
        "emotion": [emotion for emotion, _ in faces],
        "embedding": pa.array([embedding for _, embedding in faces], pa.binary()),
        "model": [model] * len(faces),
    }
    pq.write_table(pa.table(columns), folder / "moments.parquet")
    return folder


def build_gallery(
    folder: Path, embeddings: list[list[float]], labels: list[str], *, model: str = MODEL
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    array = np.asarray(embeddings, dtype=np.float16)
    np.save(folder / "embeddings.npy", array)
    paths = [f"train/{label}/{index}.png" for index, label in enumerate(labels)]
    pq.write_table(pa.table({"label": labels, "path": paths}), folder / "faces.parquet")
    head = {"format_version": 1, "model": model, "dimension": array.shape[1], "faces": len(labels)}
    (folder / "gallery.json").write_text(json.dumps(head))
    return folder
