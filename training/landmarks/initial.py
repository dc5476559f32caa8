"""Initial models of the published sizes around a landmark stream that was trained here."""

from pathlib import Path
from typing import Final, Literal

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from shared.errors import ModelError
from shared.poster.checkpoints import save
from shared.poster.config import ModelConfig
from shared.poster.mobilefacenet import MobileFaceNet
from shared.poster.model import DEPTHS, Poster
from shared.poster.state import fill
from training.landmarks.spec import STREAM_FILE, read_spec

PublishedSize = Literal["small", "base", "large"]
_SEED: Final = 0


def make_initial(
    stream: Path,
    out: Path,
    size: PublishedSize,
    labels: tuple[str, ...],
    *,
    grey: bool = False,
    resample: int | None = None,
    zoom: float = 1.0,
) -> ModelConfig:
    """Write the model folder `out`: POSTER with the landmark stream of the folder `stream`, else untrained.

    New weights are drawn from a fixed seed. `grey`, `resample` and `zoom` are of `Preprocessing`, whose mean
    and deviation are those of the stream. Returns the config. Raises ModelError when the stream is missing,
    damaged or unfinished, an argument is out of its range, or `out` cannot be written.
    """
    spec = read_spec(stream)
    net = read_stream(stream)
    config = _config(
        name=out.name,
        size=size,
        labels=labels,
        input_size=Poster.input_size,
        embedding_dim=Poster.embedding_dim,
        preprocessing={
            "mean": spec.mean,
            "std": spec.std,
            "channels": "grey" if grey else "rgb",
            "resample": resample,
            "zoom": zoom,
        },
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        model = Poster(DEPTHS[size], len(labels))
    model.face_landback = net
    save(model, config, out)
    return config


def read_stream(folder: Path) -> MobileFaceNet:
    """Return the landmark stream in `folder`, frozen. Raises ModelError, naming the file."""
    file = folder / STREAM_FILE
    if not file.is_file():
        raise ModelError(f"{file} is missing: `reelmood landmarks` has not finished it")
    try:
        tensors = load_file(file)
    except (SafetensorError, OSError, KeyError) as error:  # KeyError: a number format that torch doesn't have
        raise ModelError(f"{file} is no safetensors file: {error}") from error
    with torch.device("meta"):
        net = MobileFaceNet()
    fill(net, tensors, str(file))
    return net.requires_grad_(False)


def _config(**fields: object) -> ModelConfig:
    try:
        return msgspec.convert(fields, ModelConfig)
    except msgspec.ValidationError as error:
        raise ModelError(f"the model cannot be made: {error}") from error
