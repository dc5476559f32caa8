"""Builds the gallery of a model: the faces that its neighbours are looked for among (`shared.gallery`)."""

import logging
import shutil
import uuid
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from rich.progress import track

from shared.emotions import EMOTIONS
from shared.errors import DataError, ModelError
from shared.faces.alignment import MtcnnAligner
from shared.gallery import EMBEDDINGS_FILE, FACES_FILE, HEAD_FILE, Head
from shared.poster.config import ModelConfig
from shared.poster.expression import ExpressionModel
from training.datasets import Faces, open_dataset, read_split
from training.datasets.alignment import Alignment
from training.preparation import is_grey, side_of
from training.reading import BATCH, read_pictures
from training.spec import DatasetName

log = logging.getLogger(__name__)


def build_gallery(
    model: ExpressionModel,
    name: DatasetName,
    data: Path,
    galleries: Path,
    device: torch.device,
    *,
    align: bool = False,
    cache: Path | None = None,
    replace: bool = False,
) -> Path:
    """Write `<galleries>/<model id>` from the training split of a data set, and return that folder.

    Its rows are in the order of the split. Faces that show none of the seven emotions (contempt) are left
    out; `align` aligns the others first, as those of clips, and keeps their landmarks in `cache`. The folder
    appears whole or not at all. Raises DataError as `open_dataset`, when the folder cannot be written, or
    when it is there already and not to be replaced, and ModelError when the model cannot be used.
    """
    if model.id is None or model.config is None:
        raise ModelError("a model without config.json has no gallery")
    folder = galleries / model.id
    if folder.exists() and not replace:
        raise DataError(f"{folder} is there already: put another in its place with --replace")
    how = None
    if align:
        zoom = model.config.preprocessing.zoom
        how = Alignment(MtcnnAligner(device), model.config.input_size, zoom, cache)
    faces = _read(model.config, name, data, how)
    answers = read_pictures(model, faces.images, device)
    batches = track(answers, "embedding", total=-(-len(faces) // BATCH), transient=True)
    embeddings = np.concatenate([one.embeddings for one in batches]).astype(np.float16)
    _write(folder, model.id, faces, embeddings)
    log.info("gallery of %s: %d faces", model.id, len(faces))
    return folder


def _read(config: ModelConfig, name: DatasetName, data: Path, align: Alignment | None) -> Faces:
    side, grey = side_of(name, config, align=align is not None), is_grey(config)
    if align is None:
        faces = read_split(name, data, "train", side, grey)
    else:
        faces = open_dataset(name, data, side, grey, align).train
    return faces.take([row for row, label in enumerate(faces.labels) if faces.label_set[label] in EMOTIONS])


def _write(folder: Path, model_id: str, faces: Faces, embeddings: NDArray[np.float16]) -> None:
    aside = folder.parent / f".{model_id}.{uuid.uuid4().hex}"
    columns = {"label": [faces.label_set[label] for label in faces.labels], "path": list(faces.names)}
    head = Head(model=model_id, dimension=embeddings.shape[1], faces=len(faces))
    try:
        aside.mkdir(parents=True)
        np.save(aside / EMBEDDINGS_FILE, embeddings, allow_pickle=False)
        pq.write_table(pa.table(columns), aside / FACES_FILE)
        (aside / HEAD_FILE).write_bytes(msgspec.json.encode(head))
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
