"""A gallery of made-up faces, so that retrieval has something to look through."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shared.emotions import EMOTIONS
from shared.gallery import EMBEDDINGS_FILE, FACES_FILE, HEAD_FILE, Head
from shared.poster.config import read_config
from shared.poster.folder import CONFIG_FILE, model_id


def write_gallery(galleries: Path, model: Path, faces: int, seed: int) -> None:
    """Write a gallery of `faces` random embeddings for the model in the folder `model`."""
    dimension, name = read_config(model / CONFIG_FILE).embedding_dim, model_id(model)
    folder = galleries / name
    folder.mkdir(parents=True)
    rows = np.random.default_rng(seed).standard_normal((faces, dimension), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.save(folder / EMBEDDINGS_FILE, rows.astype(np.float16))
    labels = [EMOTIONS[number % len(EMOTIONS)] for number in range(faces)]
    paths = [f"face-{number}" for number in range(faces)]
    pq.write_table(pa.table({"label": labels, "path": paths}), folder / FACES_FILE)
    (folder / HEAD_FILE).write_bytes(msgspec.json.encode(Head(model=name, dimension=dimension, faces=faces)))
