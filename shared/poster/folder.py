"""Model folders: where they lie, what they are called, and which weights they hold. Starts without torch."""

import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec

from shared.errors import ModelError
from shared.poster.config import Name, read_config

CONFIG_FILE: Final = "config.json"
WEIGHTS_FILE: Final = "model.safetensors"
BUNDLED: Final = Path(__file__).resolve().parent.parent / "weights"
"""The models that come with Reelmood."""


def find_folder(name_or_path: str | Path, models: Path | None = None) -> Path:
    """Return the folder of a model.

    A `Path`, or text with a separator in it, is the folder itself; any other text is a name, looked for in
    `models` (the registry) and then among the bundled models, and never leads out of these two. Raises
    ModelError when there is no such folder.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or os.sep in text:
        if not (Path(text) / CONFIG_FILE).is_file():
            raise ModelError(f"{text} is no model folder: it has no {CONFIG_FILE}")
        return Path(text)
    try:
        msgspec.convert(text, Name)
    except msgspec.ValidationError as error:
        raise ModelError(f"{text!r} is no name of a model") from error
    for parent in _registries(models):
        if (parent / text / CONFIG_FILE).is_file():
            return parent / text
    places = " or ".join(str(parent) for parent in _registries(models))
    raise ModelError(f"no model {text} in {places} (a folder is given as a path: ./{text})")


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

    Raises ModelError when config or weights cannot be read.
    """
    config = read_config(folder / CONFIG_FILE)
    return format_id(config.name, read_weights(folder))


def format_id(name: str, weights: bytes) -> str:
    """Return `name@hash` of the content of a weights file."""
    return f"{name}@{hashlib.sha256(weights).hexdigest()[:8]}"


def read_weights(folder: Path) -> bytes:
    """Return the content of the weights file in `folder`. Raises ModelError when it cannot be read."""
    path = folder / WEIGHTS_FILE
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def _registries(models: Path | None) -> list[Path]:
    return [BUNDLED] if models is None else [models, BUNDLED]
