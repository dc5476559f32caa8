"""Model folders: where they lie, what they are called, and which weights they hold. Starts without torch."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from shared.errors import ModelError
from shared.poster.active import ACTIVE, active
from shared.poster.config import ModelConfig, Name, read_config

CONFIG_FILE: Final = "config.json"
WEIGHTS_FILE: Final = "model.safetensors"
ADAPTER_CONFIG_FILE: Final = "adapter_config.json"
ADAPTER_FILE: Final = "adapter_model.safetensors"
"""The two files of an adapter, as peft names them."""
BUNDLED: Final = Path(__file__).resolve().parent.parent / "weights"
"""The models that come with Reelmood."""


def find_folder(name_or_path: str | Path, models: Path | None = None) -> Path:
    """Return the folder of a model.

    A `Path`, or text with a separator in it, is the folder itself; any other text is a name, looked for in
    `models` (the registry) and then among the bundled models, and never leads out of these two; `active`
    stands for the name of the model in use. Raises ModelError when there is no such folder.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or os.sep in text:
        if not (Path(text) / CONFIG_FILE).is_file():
            raise ModelError(f"{text} is no model folder: it has no {CONFIG_FILE}")
        return Path(text)
    if text == ACTIVE:
        text = active(models).name
    check_name(text)
    for parent in _registries(models):
        if (parent / text / CONFIG_FILE).is_file():
            return parent / text
    places = " or ".join(str(parent) for parent in _registries(models))
    raise ModelError(f"no model {text} in {places} (a folder is given as a path: ./{text})")


def check_name(text: str) -> None:
    """Raise ModelError unless `text` can be the name of a model."""
    try:
        msgspec.convert(text, Name)
    except msgspec.ValidationError as error:
        raise ModelError(f"{text!r} is no name of a model") from error


def list_folders(models: Path | None = None) -> list[Path]:
    """Return the folder of every model that `find_folder` finds by name, sorted by name."""
    found: dict[str, Path] = {}
    for parent in _registries(models):
        for config in parent.glob(f"*/{CONFIG_FILE}"):
            if not config.parent.name.startswith("."):
                found.setdefault(config.parent.name, config.parent)
    return [found[name] for name in sorted(found)]


def model_id(folder: Path) -> str:
    """Return `name@hash` of the model in `folder`: eight hex digits of the SHA-256 of its weights file.

    An adapter's hash is taken over the id of its base, its settings and its weights. Raises ModelError when
    config or weights cannot be read.
    """
    config = read_config(folder / CONFIG_FILE)
    return format_id(config, read_parts(folder, config))


def format_id(config: ModelConfig, parts: Mapping[str, bytes]) -> str:
    """Return `name@hash` of what `read_parts` returned."""
    content = b"".join(((config.base or "").encode(), *parts.values()))
    return f"{config.name}@{hashlib.sha256(content).hexdigest()[:8]}"


def read_parts(folder: Path, config: ModelConfig) -> dict[str, bytes]:
    """Return the content of the files beside `config`, by name: the weights, or settings and weights.

    Raises ModelError when one cannot be read.
    """
    names = (WEIGHTS_FILE,) if config.base is None else (ADAPTER_CONFIG_FILE, ADAPTER_FILE)
    return {name: _read(folder / name) for name in names}


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write in; at the end of the block it becomes `folder`, or nothing does.

    Raises ModelError when `folder` exists or cannot be written.
    """
    if folder.exists():
        raise ModelError(f"{folder} exists already: choose another name for the model")
    aside = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    try:
        aside.mkdir(parents=True)
        yield aside
        aside.rename(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def _registries(models: Path | None) -> list[Path]:
    return [BUNDLED] if models is None else [models, BUNDLED]
