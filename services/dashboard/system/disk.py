"""What lies on the disk: the folders of the home, and the models."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import ModelError
from shared.poster.active import read_promotions
from shared.poster.config import read_config
from shared.poster.folder import list_folders
from shared.settings import Settings

_MOST_FILES: Final = 200_000
"""Files of a folder that are looked at; beyond them its size is at least what was seen."""


@dataclass(frozen=True)
class Folder:
    """A folder: files in it, and their bytes; `whole` is False when there are more than were looked at."""

    name: str
    files: int
    bytes: int
    whole: bool = True


@dataclass(frozen=True)
class Disk:
    """The folders of a home, and the bytes of the file system that they are on."""

    folders: Sequence[Folder]
    total: int
    free: int


@dataclass(frozen=True)
class Model:
    """A model: its size (nano, …), bytes, whether it is the active one, and whether it was one before."""

    name: str
    size: str
    bytes: int
    active: bool
    before: bool


def measure(settings: Settings) -> Disk:
    """Measure the folders of the home; those that are not there are left out. Raises OSError."""
    paths = (
        settings.incoming,
        settings.done,
        settings.failed,
        settings.results,
        settings.models,
        settings.gallery,
        settings.runs,
        settings.home / "broker",
    )
    usage = shutil.disk_usage(settings.home)
    return Disk([_measured(path) for path in paths if path.is_dir()], usage.total, usage.free)


def models(settings: Settings) -> list[Model]:
    """Return the models that can be used, by name; damaged ones have no size."""
    try:
        promoted = [one.name for one in read_promotions(settings.models)]
    except ModelError:
        promoted = [""]
    return [
        Model(
            name=folder.name,
            size=_size(folder),
            bytes=_measured(folder).bytes,
            active=folder.name == promoted[-1],
            before=folder.name in promoted[:-1],
        )
        for folder in list_folders(settings.models)
    ]


def _size(folder: Path) -> str:
    try:
        return read_config(folder / "config.json").size
    except ModelError:
        return "damaged"


def _measured(path: Path) -> Folder:
    files = size = 0
    for parent, _, names in os.walk(path):
        for name in names:
            if files >= _MOST_FILES:
                return Folder(path.name, files, size, whole=False)
            try:
                size += Path(parent, name).lstat().st_size
            except OSError:
                continue
            files += 1
    return Folder(path.name, files, size)
