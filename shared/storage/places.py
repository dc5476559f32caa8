"""Where a file of the home is: a path on this host, what the broker is told of it, a key in the store."""

from pathlib import Path, PurePosixPath
from typing import Final

from shared.settings import Settings
from shared.storage.store import is_sound

_KEPT: Final = frozenset({"incoming", "done", "failed", "results"})


def reference(settings: Settings, path: Path) -> str:
    """Return what the broker is told of a path: with a store, one below the home, else the absolute one."""
    return key_of(settings, path) or str(path.absolute())


def place(settings: Settings, told: str) -> Path:
    """Return the absolute path on this host of what `reference` returned, perhaps on another host.

    A path below the home does not lead out of it, whatever the broker says.
    """
    path = PurePosixPath(told)
    if path.is_absolute():
        return Path(path)
    return settings.home.absolute().joinpath(*(part for part in path.parts if part != ".."))


def key_of(settings: Settings, path: Path) -> str | None:
    """Return the key under which the store holds a file or folder of the home.

    None without a store, and for what lies elsewhere, which is a matter of this host alone.
    """
    home, absolute = settings.home.absolute(), path.absolute()
    if not settings.store or not absolute.is_relative_to(home):
        return None
    relative = absolute.relative_to(home)
    key = relative.as_posix()
    return key if is_sound(key) and relative.parts[0] in _KEPT else None
