"""What `reelmood evaluate` does."""

import platform
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.faces.alignment import MtcnnAligner
from shared.poster import checkpoints
from shared.poster.config import ModelConfig
from training.datasets import Faces, Split, read_split, read_votes
from training.datasets.alignment import Alignment
from training.datasets.catalogue import NATIVE_SIDES, fingerprint_of, open_dataset
from training.datasets.labels import EIGHT
from training.devices import choose_device, describe
from training.evaluation.measurement import Measurement, measure
from training.evaluation.prediction import columns_for, predict, restrict
from training.evaluation.report import Provenance, Report
from training.evaluation.shipped import PICTURE_SIDE, FrameReader, read_as_shipped
from training.preparation import as_batches, is_grey, side_of
from training.spec import DatasetName

BATCH: Final = 128
_PACKAGES: Final = ("reelmood", "torch", "numpy", "opencv-python-headless")
"""What figures depend on."""


@dataclass(frozen=True)
class Pictures:
    """The pictures to measure on: one split of a data set; `votes` is FER+'s CSV beside FER2013."""

    dataset: DatasetName
    data: Path
    split: Split = "test"
    votes: Path | None = None


class Truth(NamedTuple):
    """What counts as right: `indices` int64 [N] into `labels`, -1 where a picture doesn't count."""

    labels: tuple[str, ...]
    indices: NDArray[np.int64]


def evaluate(
    pictures: Pictures,
    model: str | Path,
    command: str,
    *,
    flip: bool = False,
    align: bool = False,
    models: Path | None = None,
    device: str = "auto",
    cache: Path | None = None,
) -> Report:
    """Measure a model, name or folder, on crops: against their labels and, with votes, FER+'s majority too.

    `flip` averages over each picture and its mirror image, `align` puts alignment by MTCNN in front, whose
    landmarks are kept in the folder `cache`. `command` is what the report says made it. Raises DataError or
    ModelError, one line, on anything that a person can mend.
    """
    where = choose_device(device)
    loaded = checkpoints.load(model, models)
    config = cast(ModelConfig, loaded.config)
    faces, fingerprint = _read(pictures, config, where if align else None, cache)
    truths = _truths(faces, pictures, config.labels)
    batches = as_batches(faces, torch.from_numpy(faces.labels), config, BATCH)
    probabilities = predict(loaded.to(where), config.labels, batches, where, flip, config.labels)
    provenance = _provenance(
        pictures,
        model=str(loaded.id),
        parameters=sum(parameter.numel() for parameter in loaded.parameters()),
        fingerprint=fingerprint,
        view=f"crops{', aligned by MTCNN' if align else ''}, "
        f"each {'and its mirror image' if flip else 'as it is'}",
        device=describe(where),
        command=command,
    )
    return Report(provenance, _measure(truths, probabilities, config.labels))


def evaluate_as_shipped(pictures: Pictures, reader: FrameReader, command: str) -> Report:
    """Measure the whole product: each picture as a clip frame; see `training.evaluation.shipped`.

    The product tells seven emotions, so pictures of contempt don't count. Those without a face that is found
    count as wrong. Raises DataError as `evaluate`.
    """
    side = NATIVE_SIDES.get(pictures.dataset, PICTURE_SIDE)
    faces = read_split(pictures.dataset, pictures.data, pictures.split, side, grey=False)
    known = [EMOTIONS.index(label) if label in EMOTIONS else -1 for label in faces.label_set]
    faces = replace(faces, labels=np.array(known, np.int64)[faces.labels], label_set=EMOTIONS)
    truths = _truths(faces, pictures, EMOTIONS)
    provenance = _provenance(
        pictures,
        model=reader.model,
        parameters=reader.parameters,
        fingerprint=fingerprint_of(pictures.dataset, pictures.data),
        view=f"as shipped: enlarged to {PICTURE_SIDE} pixels in a frame of drawn-out edges, detected by Haar "
        "(the largest face), aligned by MTCNN",
        device=reader.device,
        command=command,
    )
    return Report(provenance, _measure(truths, read_as_shipped(faces.images, reader), EMOTIONS))


def _read(
    pictures: Pictures, config: ModelConfig, aligning: torch.device | None, cache: Path | None
) -> tuple[Faces, str]:
    """Return the faces, aligned on the device `aligning` if it is given, and the data set's fingerprint."""
    side = side_of(pictures.dataset, config, aligning is not None)
    if aligning is None:
        faces = read_split(pictures.dataset, pictures.data, pictures.split, side, is_grey(config))
        return faces, fingerprint_of(pictures.dataset, pictures.data)
    how = Alignment(MtcnnAligner(aligning), config.input_size, config.preprocessing.zoom, cache)
    opened = open_dataset(pictures.dataset, pictures.data, side, is_grey(config), how)
    aligned = opened.train if pictures.split == "train" else opened.test
    if aligned is None:
        raise DataError(f"{pictures.data} has no {pictures.split} split")
    return aligned, opened.fingerprint


def _truths(faces: Faces, pictures: Pictures, outputs: tuple[str, ...]) -> dict[str, Truth]:
    """Return what the pictures show, by who says so; all of it fits a model with `outputs`."""
    columns_for(outputs, faces.label_set)
    truths = {"label": Truth(faces.label_set, faces.labels)}
    if pictures.votes is not None:
        if pictures.dataset != "fer2013":
            raise DataError(f"{pictures.votes} are votes for FER2013, not for {pictures.dataset}")
        votes = read_votes(pictures.votes, faces.names)
        truths["FER+ majority"] = Truth(EMOTIONS, votes.majority(EMOTIONS))
        if set(EIGHT) <= set(outputs):
            truths["FER+ majority with contempt"] = Truth(EIGHT, votes.majority(EIGHT))
    return truths


def _measure(
    truths: dict[str, Truth], probabilities: NDArray[np.float32], outputs: tuple[str, ...]
) -> dict[str, Measurement]:
    return {
        name: measure(truth.indices, restrict(probabilities, outputs, truth.labels), truth.labels)
        for name, truth in truths.items()
    }


def _provenance(
    pictures: Pictures,
    *,
    model: str,
    parameters: int,
    fingerprint: str,
    view: str,
    device: str,
    command: str,
) -> Provenance:
    return Provenance(
        model=model,
        parameters=parameters,
        data=f"{pictures.dataset} {pictures.split}",
        fingerprint=fingerprint,
        view=view,
        device=device,
        command=command,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
    )
