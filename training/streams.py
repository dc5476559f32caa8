"""Reads the weights of nano's pretrained streams from the files of face-api.

A net is a JSON manifest, which lists arrays in file order with TensorFlow's shapes, and one `.bin` file.
Source: the weights manifest of TensorFlow.js; the layers are those of `@vladmandic/face-api` 1.7.15.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.emotions import EMOTIONS
from shared.errors import ModelError
from shared.poster.checkpoints import save
from shared.poster.config import ModelConfig
from shared.poster.nano import PREPROCESSING, build_nano
from shared.poster.state import fill

RECOGNITION: Final = "face_recognition_model"
LANDMARKS: Final = "face_landmark_68_model"

_RECOGNITION_UNITS: Final = {
    "conv32_1": "stem.units.0",
    "conv32_2": "stem.units.1",
    "conv32_3": "stem.units.2",
    "conv64_down": "stem.units.3",
    "conv64_1": "stem.units.4",
    "conv64_2": "stem.units.5",
    "conv64_3": "stem.units.6",
    "conv128_down": "stem.units.7",
    "conv128_1": "stem.units.8",
    "conv128_2": "stem.units.9",
    "conv256_down": "top.0",
    "conv256_1": "top.1",
    "conv256_2": "top.2",
    "conv256_down_out": "last",
}
_SCALED_CONV: Final = {
    "conv/filters": "weight",
    "conv/bias": "bias",
    "scale/weights": "scale",
    "scale/biases": "shift",
}
_PLAIN_CONV: Final = {"filters": "weight", "bias": "bias"}
_SEPARABLE_CONV: Final = {
    "depthwise_filter": "depthwise.weight",
    "pointwise_filter": "pointwise.weight",
    "bias": "pointwise.bias",
}


@dataclass(frozen=True)
class Streams:
    """State dicts of the two nets, for `RecognitionNet` and `LandmarkNet`; float32."""

    recognition: dict[str, Tensor]
    landmarks: dict[str, Tensor]


def make_nano(folder: Path, out: Path, name: str = "nano-initial", seed: int = 0) -> ModelConfig:
    """Write the model folder `out`: nano with both streams from face-api's `model` folder, untrained heads.

    The heads' weights depend on `seed` alone. Returns the config. Raises ModelError as `import_streams` and
    `checkpoints.save` do.
    """
    streams = import_streams(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_nano(len(EMOTIONS))
    kept = {key: value for key, value in streams.recognition.items() if key.startswith(("stem.", "top."))}
    kept |= {f"landmark.{key}": value for key, value in streams.landmarks.items()}
    fill(model, model.state_dict() | kept, str(folder))
    config = ModelConfig(
        name=name,
        size="nano",
        input_size=model.input_size,
        embedding_dim=model.embedding_dim,
        preprocessing=PREPROCESSING,
    )
    save(model, config, out)
    return config


def import_streams(folder: Path) -> Streams:
    """Read both nets from face-api's `model` folder.

    Raises ModelError, naming the file, when one is missing, damaged, or holds other layers.
    """
    recognition = _renamed(folder, RECOGNITION, recognition_names())
    return Streams(fold_scales(recognition), _renamed(folder, LANDMARKS, landmark_names()))


def fold_scales(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return `state` with each convolution's `scale` and `shift` of its outputs put into weight and bias.

    Raises ModelError when they differ in number from the convolution's outputs.
    """
    folded = dict(state)
    for name in [key.removesuffix(".scale") for key in state if key.endswith(".scale")]:
        scale, shift = folded.pop(f"{name}.scale"), folded.pop(f"{name}.shift")
        if len(state[f"{name}.weight"]) != len(scale):
            raise ModelError(f"{name}.weight has not the {len(scale)} outputs that are scaled")
        folded[f"{name}.weight"] = state[f"{name}.weight"] * scale[:, None, None, None]
        folded[f"{name}.bias"] = state[f"{name}.bias"] * scale + shift
    return folded


def recognition_names() -> dict[str, str]:
    """Return by face-api's names those in `RecognitionNet`'s state dict, and each `scale` and `shift`."""
    convs = {"conv32_down": "stem.conv"} | {
        f"{theirs}/{conv}": f"{ours}.{conv}"
        for theirs, ours in _RECOGNITION_UNITS.items()
        for conv in ("conv1", "conv2")
    }
    names = {
        f"{theirs}/{leaf}": f"{ours}.{name}"
        for theirs, ours in convs.items()
        for leaf, name in _SCALED_CONV.items()
    }
    return names | {"fc": "fc.weight"}


def landmark_names() -> dict[str, str]:
    """Return the names in `LandmarkNet`'s state dict by those of face-api."""
    names = {
        f"dense{block}/conv{conv}/{leaf}": f"blocks.{block}.conv{conv}.{name}"
        for block in range(4)
        for conv in range(4)
        for leaf, name in (_PLAIN_CONV if block == conv == 0 else _SEPARABLE_CONV).items()
    }
    return names | {"fc/weights": "fc.weight", "fc/bias": "fc.bias"}


def read_net(folder: Path, net: str) -> dict[str, Tensor]:
    """Read the arrays of one net by their TensorFlow names, in PyTorch's axis order, float32.

    Values stored as bytes stand for `byte * scale + min`. Raises ModelError, naming the file.
    """
    manifest = folder / f"{net}-weights_manifest.json"
    try:
        groups = json.loads(manifest.read_text(encoding="utf-8"))
        arrays: dict[str, Tensor] = {}
        for group in groups:
            # Shards of one group are one file cut in pieces; only bare names inside `folder` are read.
            data = b"".join((folder / Path(path).name).read_bytes() for path in group["paths"])
            arrays.update(_unpack(group["weights"], data))
    except FileNotFoundError as error:
        raise ModelError(f"{error.filename} is missing: give face-api's model folder") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{manifest} cannot be read: {error}") from error
    return arrays


def _unpack(weights: list[dict[str, Any]], data: bytes) -> dict[str, Tensor]:
    arrays: dict[str, Tensor] = {}
    offset = 0
    for weight in weights:
        count = math.prod(weight["shape"])
        quantization = weight.get("quantization")
        dtype = np.dtype("<f4") if quantization is None else np.dtype(quantization["dtype"]).newbyteorder("<")
        values: NDArray[Any] = np.frombuffer(data, dtype, count, offset)
        offset += values.nbytes
        if quantization is not None:
            values = values * float(quantization["scale"]) + float(quantization["min"])
        array = values.astype(np.float32).reshape(weight["shape"])
        arrays[weight["name"]] = torch.from_numpy(_to_torch(weight["name"], array).copy())
    if offset != len(data):
        raise ValueError(f"{len(data)} bytes of weights, {offset} expected")
    return arrays


def _to_torch(name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """HWIO to OIHW; a depthwise kernel, HWC1, to C1HW; a matrix from in × out to out × in."""
    if array.ndim == 4:
        return array.transpose((2, 3, 0, 1) if name.endswith("depthwise_filter") else (3, 2, 0, 1))
    return array.T


def _renamed(folder: Path, net: str, names: dict[str, str]) -> dict[str, Tensor]:
    arrays = read_net(folder, net)
    for name in (*(arrays.keys() - names.keys()), *(names.keys() - arrays.keys())):
        fault = "holds an unknown" if name in arrays else "lacks the"
        raise ModelError(f"{net} in {folder} {fault} layer {name}")
    return {ours: arrays[theirs] for theirs, ours in names.items()}
