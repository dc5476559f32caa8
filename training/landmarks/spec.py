"""What a run that trains a landmark stream is asked to do, in one value that lies beside it as JSON."""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from shared.errors import DataError, ModelError
from shared.poster.config import IMAGENET_MEAN, IMAGENET_STD, Deviation, Mean
from training.recipe import Augmentation, Count, NotNegative, Positive
from training.spec import DatasetName

SPEC_FILE: Final = "landmarks.json"
STREAM_FILE: Final = "stream.safetensors"

AUGMENTATION: Final = Augmentation(degrees=25, scale=0.2, shift=0.1, erase=0)


class LandmarkSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How MobileFaceNet is taught the 68 points that `teacher`, a nano, finds in the pictures of a data set.

    `limit` keeps at most so many training pictures, the same share of every class. `mean` and `std` normalise
    what the student sees: those of the model that it is to be part of, whose two streams see the same
    picture. `lr` is the peak of one cycle. Pictures are mirrored, turned, scaled, shifted, blurred and lit as
    `augmentation` says, the rest of which has no part here.
    """

    dataset: DatasetName = "fer2013"
    data: str
    limit: Count | None = None
    teacher: str = "nano"
    epochs: Count = 10
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 128
    lr: Positive = 2e-3
    weight_decay: NotNegative = 0.01
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    mean: tuple[Mean, Mean, Mean] = IMAGENET_MEAN
    std: tuple[Deviation, Deviation, Deviation] = IMAGENET_STD
    augmentation: Augmentation = AUGMENTATION


def keep_spec(out: Path, spec: LandmarkSpec) -> None:
    """Write `spec` into the folder `out`. Raises DataError when it holds a run with other settings."""
    file = out / SPEC_FILE
    text = msgspec.json.format(msgspec.json.encode(spec), indent=2)
    if file.exists() and file.read_bytes() != text:
        raise DataError(f"{out} holds landmarks trained with other settings: choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)


def read_spec(folder: Path) -> LandmarkSpec:
    """Return the spec in `folder`. Raises ModelError when it is missing or damaged."""
    file = folder / SPEC_FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=LandmarkSpec)
    except OSError as error:
        raise ModelError(f"{folder} holds no landmark stream: {SPEC_FILE} cannot be read") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelError(f"{file} is no description of a landmark stream: {error}") from error
