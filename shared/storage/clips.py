"""Clips: the same steps for files of this host and, where there is a store, for files in it."""

import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final
from uuid import uuid4

from shared.errors import ClipError
from shared.folders import (
    content_digest,
    free_names,
    is_called_a_clip,
    is_digest,
    move_clip,
    write_whole,
)
from shared.settings import Settings
from shared.storage.places import key_of
from shared.storage.store import Item, Store, StoreError, open_store

logger = logging.getLogger(__name__)

_LONGEST_CLAIM: Final = 64
_SUFFIX: Final = re.compile(r"\.\w{1,8}")
_UNUSED_S: Final = 3600.0
"""How long a copy of a clip stays that nobody has come back to, as after a kill."""


def arrived(settings: Settings) -> dict[Path, tuple[int, int]]:
    """Return size and time of change (ns) of each clip in the store's `incoming/`, by its path in the home.

    Hidden files and `*.part` are none, as in a folder; nor is a name that was taken for a file which is still
    on its way. Raises StoreError.
    """
    store = _must_open(settings)
    return {
        settings.home / item.key: (item.size, item.modified_ns)
        for item in store.items("incoming")
        if is_called_a_clip(PurePosixPath(item.key)) and not _is_claim(store, item)
    }


def kept(settings: Settings) -> dict[Path, tuple[int, int]]:
    """Return size and time of change (ns) of all files in the store's folders of clips, by path in the home.

    None without a store. Raises StoreError.
    """
    store = open_store(settings)
    return {
        settings.home / item.key: (item.size, item.modified_ns)
        for folder in ("incoming", "done", "failed")
        for item in (store.items(folder) if store is not None else [])
    }


def sizes(settings: Settings, path: Path) -> tuple[int, int]:
    """Return the size and the time of change (ns) of a clip. Raises OSError when it is not there."""
    if (key := key_of(settings, path)) is None:
        status = path.stat()
        return status.st_size, status.st_mtime_ns
    item = _must_open(settings).item(key)
    if item is None:
        raise FileNotFoundError(f"{key} is not in the store")
    return item.size, item.modified_ns


def exists(settings: Settings, path: Path) -> bool:
    """Tell whether a clip's file is there."""
    key = key_of(settings, path)
    return path.is_file() if key is None else _must_open(settings).item(key) is not None


def digest(settings: Settings, path: Path) -> str:
    """Return the `shared.folders.content_digest` of a clip. Raises OSError when it cannot be read."""
    key = key_of(settings, path)
    return content_digest(path) if key is None else _must_open(settings).digest(key)


@contextmanager
def at_hand(settings: Settings, path: Path, content: str) -> Iterator[Path]:
    """Yield a clip as a file of this host: itself, or a copy of what the store holds.

    The copy stays for those who come back to it, until `let_go`, or for an hour. Raises ClipError when the
    store's file is gone, or not the one with this digest any more, OSError when it cannot be fetched.
    """
    key = key_of(settings, path)
    if key is None:
        yield path
        return
    copy = _copy_of(settings, path, content)
    if copy.exists():
        os.utime(copy)
    else:
        _fetch(_must_open(settings), key, copy, content)
    yield copy


def let_go(settings: Settings, path: Path, content: str) -> None:
    """Delete this host's copy of a clip, if there is one."""
    if key_of(settings, path) is not None and is_digest(content):
        _copy_of(settings, path, content).unlink(missing_ok=True)


def move(
    settings: Settings, source: Path, into: Path, name: str, *, beside: str = "", content: str = ""
) -> Path:
    """Move a clip into another folder as `shared.folders.move_clip` does, also within the store.

    There it is copied, then deleted; `content` is its digest, by which a move that was cut off is finished by
    the next one, instead of beginning a second copy. Raises OSError.
    """
    origin = key_of(settings, source)
    if origin is None:
        return hand_up(settings, source, into, name, beside=beside)
    store = _must_open(settings)
    content = content or store.digest(origin)
    target, is_there = _claim(store, f"{key_of(settings, into)}", name, beside, content)
    if not is_there:
        store.copy(origin, target)
    store.remove(origin)
    return settings.home.absolute() / target


def hand_up(settings: Settings, source: Path, into: Path, name: str, *, beside: str = "") -> Path:
    """Move a file of this host into a folder of clips, the store's where there is one, as `move` does.

    Raises OSError.
    """
    folder = key_of(settings, into)
    if folder is None:
        return move_clip(source, into, name, beside=beside)
    store = _must_open(settings)
    target, is_there = _claim(store, folder, name, beside, content_digest(source))
    if not is_there:
        store.put(source, target)
    source.unlink()
    return settings.home.absolute() / target


def delete(settings: Settings, path: Path) -> None:
    """Delete a clip's file; that it is gone already is no error. Raises OSError."""
    if (key := key_of(settings, path)) is None:
        path.unlink(missing_ok=True)
    else:
        _must_open(settings).remove(key)


def write_beside(settings: Settings, path: Path, ending: str, content: bytes) -> None:
    """Write a small file beside a clip, its name and `ending`. Raises OSError."""
    beside = path.with_name(path.name + ending)
    key = key_of(settings, beside)
    if key is None:
        write_whole(beside, content)
    else:
        _must_open(settings).write(key, content)


def _claim(store: Store, folder: str, name: str, beside: str, content: str) -> tuple[str, bool]:
    """Return the key that a file gets in a folder, and whether it is there already.

    A key is taken by writing the file's digest under it, unless there is something; the file then takes its
    place. Where the digest or the file is there already, an earlier attempt was cut off.
    """
    for free in free_names(name):
        target = f"{folder}/{free.as_posix()}"
        if beside and store.item(target + beside) is not None:
            continue
        if store.create(target, content.encode()):
            return target, False
        held = store.item(target)
        if held is not None and _is(store, held, content):
            return target, held.size != len(content)
    raise AssertionError("counting does not end")


def _is_claim(store: Store, item: Item) -> bool:
    if item.size > _LONGEST_CLAIM:
        return False
    try:
        return is_digest(store.read(item.key).decode(errors="replace"))
    except FileNotFoundError:
        return True  # it has gone on already


def _is(store: Store, held: Item, content: str) -> bool:
    if held.size == len(content) and store.read(held.key) == content.encode():
        return True
    return str(held.size) == content.partition("-")[0] and store.digest(held.key) == content


def _fetch(store: Store, key: str, copy: Path, content: str) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    for other in copy.parent.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - other.stat().st_mtime > _UNUSED_S:
                other.unlink()
    aside = copy.with_name(f"{uuid4().hex}.part")
    try:
        store.fetch(key, aside)
        if content_digest(aside) != content:
            raise ClipError("the file in the store is not the one any more that was queued")
        aside.replace(copy)
    except FileNotFoundError:
        raise ClipError("the file is not in the store any more") from None
    finally:
        aside.unlink(missing_ok=True)


def _copy_of(settings: Settings, path: Path, content: str) -> Path:
    if not is_digest(content):
        raise ClipError("it is in the store, and its digest is not known")
    suffix = path.suffix if _SUFFIX.fullmatch(path.suffix) else ""
    return settings.home.absolute() / "cache" / "clips" / (content + suffix)


def _must_open(settings: Settings) -> Store:
    store = open_store(settings)
    if store is None:
        raise StoreError("no store is set: REELMOOD_STORE")
    return store
