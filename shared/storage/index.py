"""What this home has fetched from the store: a stamp for each folder. One process at a time fetches."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from shared.folders import write_whole
from shared.settings import Settings

_FILE: Final = "fetched.json"


@dataclass
class Index:
    """The folders that came from the store, by key, with their stamps; `aside` is where they are gathered."""

    folder: Path
    stamps: dict[str, str] = field(default_factory=dict)

    @property
    def aside(self) -> Path:
        """A folder for what is under way."""
        return self.folder / "aside"

    def names(self, parent: str) -> set[str]:
        """Return the names of the folders that came from a folder of the store."""
        return {key.removeprefix(f"{parent}/") for key in self.stamps if key.startswith(f"{parent}/")}

    def put(self, key: str, stamp: str) -> None:
        """Note that a folder has been fetched."""
        self.stamps[key] = stamp
        self._save()

    def drop(self, key: str) -> None:
        """Note that a folder is no longer here."""
        self.stamps.pop(key, None)
        self._save()

    def _save(self) -> None:
        write_whole(self.folder / _FILE, msgspec.json.encode(self.stamps))


@contextmanager
def fetching(settings: Settings, *, wait: bool) -> Iterator[Index | None]:
    """Yield the index of this home for the time that no other process fetches.

    Yields None when one does and `wait` is False. Raises OSError.
    """
    folder = settings.home.absolute() / "cache" / "store"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
            return
        index = Index(folder, _read(folder / _FILE))
        shutil.rmtree(index.aside, ignore_errors=True)  # what a killed process has left
        index.aside.mkdir()
        yield index


def _read(file: Path) -> dict[str, str]:
    with suppress(FileNotFoundError, msgspec.MsgspecError):
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    return {}
