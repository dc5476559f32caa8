"""`config.json` of a model folder: what the model is, what its outputs mean, and what it must be shown."""

from pathlib import Path
from typing import Annotated, Final, Literal, get_args

import msgspec

from shared.emotions import EMOTIONS, columns_of
from shared.errors import ModelError

FORMAT_VERSION: Final = 1

Size = Literal["nano", "small", "base", "large"]
SIZES: Final[tuple[Size, ...]] = get_args(Size)

Mean = Annotated[float, msgspec.Meta(ge=0, le=1)]
Deviation = Annotated[float, msgspec.Meta(gt=0, le=1)]
Side = Annotated[int, msgspec.Meta(ge=8, le=1024)]
Name = Annotated[str, msgspec.Meta(pattern=r"^(?!active$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""What a model may be called; `active` stands for the one in use (`shared.poster.active`)."""
ModelId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}@[0-9a-f]{8}$")]
"""`name@hash`, see `shared.poster.folder.model_id`."""

IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)


class Preprocessing(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to an aligned RGB face in 0..1 before the model sees it, in this order.

    `zoom` scales about the centre, on top of the alignment template (above 1 is nearer); `channels` "grey"
    replaces each channel by the luma; `resample` brings the face to this side in pixels first, and so takes
    away the detail that the training pictures lacked; last come `mean` and `std` of each channel.
    """

    mean: tuple[Mean, Mean, Mean] = IMAGENET_MEAN
    std: tuple[Deviation, Deviation, Deviation] = IMAGENET_STD
    channels: Literal["rgb", "grey"] = "rgb"
    resample: Side | None = None
    zoom: Annotated[float, msgspec.Meta(ge=0.25, le=4)] = 1.0


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One trained model: size, output order, input side in pixels, width of the embedding, preprocessing.

    `labels` names the outputs in the model's own order and holds each of the seven emotions once;
    `shared.emotions.columns_of` maps it. `metrics` are figures by name, of pictures that it was not trained
    on. `base` is set for an adapter: the id of the model whose weights it changes.
    Raises ValueError when the labels don't hold the seven emotions.
    """

    name: Name
    size: Size
    labels: tuple[str, ...] = EMOTIONS
    input_size: Side
    embedding_dim: Annotated[int, msgspec.Meta(ge=1)] = 512
    preprocessing: Preprocessing = msgspec.field(default_factory=Preprocessing)
    metrics: dict[str, float] | None = None
    base: ModelId | None = None
    format_version: Annotated[int, msgspec.Meta(ge=1)] = FORMAT_VERSION

    def __post_init__(self) -> None:
        columns_of(self.labels)


class _Versioned(msgspec.Struct):
    """The one field that every version of the format has."""

    format_version: int


def encode_config(config: ModelConfig) -> bytes:
    """Return `config` as indented JSON, UTF-8, ending in a line feed."""
    return msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n"


def decode_config(data: bytes, source: str = "config.json") -> ModelConfig:
    """Return the config in `data`, JSON; `source` names it in messages.

    Fields that this version doesn't know are passed over. Raises ModelError when it isn't JSON, is of a newer
    format, or a field is missing or out of its range.
    """
    try:
        version = msgspec.json.decode(data, type=_Versioned).format_version
        if version > FORMAT_VERSION:
            raise ModelError(f"{source} is of format {version}, newer than {FORMAT_VERSION}: update Reelmood")
        return msgspec.json.decode(data, type=ModelConfig)
    except msgspec.MsgspecError as error:
        raise ModelError(f"{source} is no model config: {error}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{source} is no model config: it is not UTF-8 text") from error


def read_config(path: Path) -> ModelConfig:
    """Return the config in the file `path`. Raises ModelError as `decode_config` or when unreadable."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    return decode_config(data, str(path))
