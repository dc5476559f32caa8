"""A model's own check set: held-out pictures beside its weights, on which it must do well to be promoted."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.poster.expression import ExpressionModel
from training.reading import read_pictures

CHECK_FILE: Final = "check.safetensors"
PICTURES: Final = 200
_SEED: Final = 0
_WIDEST: Final = 1024


class Check(NamedTuple):
    """`images` uint8 [N, H, W, 1 or 3], `labels` int64 [N], indices into `EMOTIONS`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def write_check(
    folder: Path, images: NDArray[np.uint8], labels: NDArray[np.int64], label_set: Sequence[str]
) -> int:
    """Write the check set of the model in `folder`, and return how many pictures it holds: at most 200.

    `images` uint8 [N, H, W, 1 or 3] are pictures that the model was not trained on, `labels` int64 [N] their
    truth, indices into `label_set`. Pictures that are none of the seven emotions (contempt, -1) are left out,
    and a fixed seed draws from the others. Writes nothing when none is left.
    """
    # The last entry is what a truth of -1 finds.
    to_emotions = [EMOTIONS.index(label) if label in EMOTIONS else -1 for label in (*label_set, "")]
    emotions = np.array(to_emotions, np.int64)[labels]
    usable = np.flatnonzero(emotions >= 0)
    rows = np.sort(np.random.default_rng(_SEED).permutation(usable)[:PICTURES])
    if len(rows):
        tensors = {"images": np.ascontiguousarray(images[rows]), "labels": emotions[rows]}
        save_file(tensors, folder / CHECK_FILE, metadata={"labels": json.dumps(EMOTIONS)})
    return len(rows)


def read_check(folder: Path) -> Check:
    """Return the check set of the model in `folder`.

    Raises DataError when there is none, or when the file is damaged or holds something else.
    """
    file = folder / CHECK_FILE
    if not file.is_file():
        raise DataError(f"{folder} has no check set ({CHECK_FILE}): only `reelmood train` makes one")
    try:
        with safe_open(file, framework="np") as opened:
            named = json.loads((opened.metadata() or {}).get("labels", "null"))
            check = Check(opened.get_tensor("images"), opened.get_tensor("labels"))
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise DataError(f"{file} is no check set: {str(error).partition(chr(10))[0]}") from error
    if named != list(EMOTIONS) or not _fits(check):
        raise DataError(f"{file} is no check set: it does not hold labelled pictures")
    return check


def score_check(model: ExpressionModel, folder: Path, device: torch.device) -> tuple[float, int]:
    """Return the share of its own check set that a model reads right, 0..1, and the number of pictures.

    Raises DataError as `read_check`, and ModelError as `read_pictures`.
    """
    check = read_check(folder)
    read = np.concatenate([answers.emotions for answers in read_pictures(model, check.images, device)])
    return float((read == check.labels).mean()), len(read)


def _fits(check: Check) -> bool:
    images, labels = check
    return (
        (images.dtype, labels.dtype) == (np.dtype(np.uint8), np.dtype(np.int64))
        and (images.ndim, labels.ndim) == (4, 1)
        and 0 < len(images) == len(labels)
        and images.shape[3] in (1, 3)
        and 0 < images.shape[1] <= _WIDEST
        and 0 < images.shape[2] <= _WIDEST
        and 0 <= labels.min() <= labels.max() < len(EMOTIONS)
    )
