"""From a data set to the batches of a run."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.errors import DataError
from shared.faces.alignment import MtcnnAligner
from shared.poster.config import ModelConfig
from training.batches import Batches
from training.datasets.alignment import Alignment
from training.datasets.catalogue import NATIVE_SIDES, SPARSE, labels_of, open_dataset
from training.datasets.faces import Dataset, Faces, join
from training.datasets.votes import read_votes
from training.devices import choose_device
from training.spec import DatasetName, RunSpec
from training.splits import keep_share, split_validation, without_twins
from training.targets import soft_targets

log = logging.getLogger(__name__)

SPLIT_SEED: Final = 0
"""One for all runs: a model that is trained further under another seed is not validated on what it knows."""


@dataclass(frozen=True)
class Prepared:
    """What a run is trained and validated on; C outputs in the order of the model's `labels`.

    `train` has targets float32 [N, C]. `validation` has targets int64 [N, 1 or 2], indices into `labels`:
    each picture's label and, with votes, FER+'s majority (-1: there is none). `counts` int64 [C] is the
    number of training pictures of each class: the one with the greatest share of the target. `fingerprint`
    is that of the data set.
    """

    train: Batches
    validation: Batches
    labels: tuple[str, ...]
    counts: Tensor
    fingerprint: str


def prepare(spec: RunSpec, config: ModelConfig, cache: Path | None = None) -> Prepared:
    """Return the batches of the run `spec` for the model of `config`.

    The validation part is cut from the training pictures, of which those of the test split are left out;
    with `paper_split` it is the test split. Corrections that are added are trained on only. `cache` is a
    folder for the landmarks of aligned data sets. Raises DataError, one line, on anything wrong with the
    data, or when the model does not fit them.
    """
    check_fit(spec, config)
    recipe, outputs = spec.recipe, config.labels
    fingerprint, train, held = _split(_open(spec, config, cache), spec)
    counted = None if spec.votes is None else read_votes(Path(spec.votes), train.names)
    targets, known = soft_targets(train.labels_in(outputs), counted, recipe.target, outputs)
    rows = np.flatnonzero(known)
    if spec.limit is not None and spec.limit < len(rows):
        rows = rows[keep_share(targets[rows].argmax(axis=1), spec.limit, SPLIT_SEED)]
    train, taught = train.take(rows), torch.from_numpy(targets[rows])
    if spec.corrections is not None:
        more = _corrections(Path(spec.corrections), spec, config)
        train, fingerprint = join(train, more.train), _joined(fingerprint, more.fingerprint)
        taught = torch.cat([taught, _plain_targets(more.train, outputs)])
    counts = taught.argmax(1).bincount(minlength=len(outputs))
    empty = taught.sum(0) == 0
    if empty.any() and spec.dataset not in SPARSE:
        raise DataError(f"no training picture of {spec.data} is {outputs[int(empty.int().argmax())]}")
    return Prepared(
        as_batches(train, taught, config, recipe.batch_size),
        as_batches(held, torch.from_numpy(_truth(held, spec, outputs)), config, recipe.batch_size),
        outputs,
        counts,
        fingerprint,
    )


def check_fit(spec: RunSpec, config: ModelConfig) -> None:
    """Raise DataError when the labels of the data set aren't the model's outputs, or the votes don't fit.

    Votes tell contempt too, FER2013's labels don't: with a target of votes a model may have either outputs.
    """
    if spec.dataset == "corrections" and (spec.align or spec.corrections is not None):
        odd = "--align" if spec.align else "--add-corrections"
        raise DataError(f"{odd} goes with another data set: the corrections are aligned faces already")
    if spec.votes is not None and spec.dataset != "fer2013":
        raise DataError(f"{spec.votes} are votes for FER2013, not for {spec.dataset}")
    if spec.votes is None and spec.recipe.target != "label":
        raise DataError(f"target {spec.recipe.target} needs the FER+ votes")
    labels, outputs = set(labels_of(spec.dataset, Path(spec.data))), set(config.labels)
    if spec.recipe.target != "label":
        labels |= outputs & {"contempt"}
    if labels != outputs:
        odd = ", ".join(sorted(labels ^ outputs))
        raise DataError(
            f"the labels of {spec.data} are not the outputs of {config.name}: they differ in {odd}"
            " (--new-head replaces its last layer)"
        )


def as_batches(faces: Faces, targets: Tensor, config: ModelConfig, batch_size: int) -> Batches:
    """Return `faces` as batches for the model of `config`; `targets` has a row for each of them."""
    images = torch.from_numpy(faces.images).permute(0, 3, 1, 2).contiguous()
    return Batches(images, targets, config.input_size, config.preprocessing, batch_size)


def is_grey(config: ModelConfig) -> bool:
    """Say whether the model is shown grey pictures."""
    return config.preprocessing.channels == "grey"


def side_of(name: DatasetName, config: ModelConfig, align: bool) -> int:
    """Return the side, in pixels, that a data set's pictures are kept at for the model of `config`.

    What the model is shown, but no more than the pictures have; aligned ones, which were turned and scaled,
    twice that.
    """
    shown = config.preprocessing.resample or config.input_size
    native = NATIVE_SIDES.get(name, shown)
    return min(shown, 2 * native if align else native)


def _open(spec: RunSpec, config: ModelConfig, cache: Path | None) -> Dataset:
    align = None
    if spec.align:
        aligner = MtcnnAligner(choose_device(spec.device))
        align = Alignment(aligner, config.input_size, config.preprocessing.zoom, cache)
    side = side_of(spec.dataset, config, spec.align)
    return open_dataset(spec.dataset, Path(spec.data), side, is_grey(config), align)


def _corrections(folder: Path, spec: RunSpec, config: ModelConfig) -> Dataset:
    """Return the corrections that are added, in the size of the data set that they are added to."""
    return open_dataset("corrections", folder, side_of(spec.dataset, config, spec.align), is_grey(config))


def _plain_targets(faces: Faces, outputs: tuple[str, ...]) -> Tensor:
    """Return the labels as targets, float32 [N, C]."""
    return torch.from_numpy(soft_targets(faces.labels_in(outputs), None, "label", outputs)[0])


def _joined(fingerprint: str, more: str) -> str:
    return hashlib.sha256(f"{fingerprint} {more}".encode()).hexdigest()


def _split(dataset: Dataset, spec: RunSpec) -> tuple[str, Faces, Faces]:
    """Return the data set's fingerprint, the faces to train on and those to validate on."""
    train, test = dataset.train, dataset.test
    if spec.recipe.paper_split:
        if test is None:
            raise DataError(f"{spec.data} has no test split to validate on")
        return dataset.fingerprint, train, test
    if test is not None:
        kept = without_twins(train, test)
        log.info("left out %d training pictures that are in the test split too", len(train) - len(kept))
        train = train.take(kept)
    sparse = spec.dataset in SPARSE
    rows, held = split_validation(train, spec.recipe.validation, SPLIT_SEED, sparse=sparse)
    return dataset.fingerprint, train.take(rows), train.take(held)


def _truth(held: Faces, spec: RunSpec, outputs: tuple[str, ...]) -> NDArray[np.int64]:
    truth = [held.labels_in(outputs)]
    if spec.votes is not None:
        truth.append(read_votes(Path(spec.votes), held.names).majority(outputs))
    return np.stack(truth, axis=1)
