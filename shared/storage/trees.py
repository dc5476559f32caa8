"""Folders in the store, of which readers never see a half: one file of each, its marker, is written last."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from shared.storage.store import Item, Store, StoreError


def stamps(store: Store, parent: str, marker: str) -> dict[str, str]:
    """Return the whole folders below a folder: by name a stamp, which is another one after any change."""
    folders: dict[str, list[Item]] = {}
    for item in store.items(parent):
        name, _, inner = item.key.removeprefix(f"{parent}/").partition("/")
        if inner and not name.startswith("."):
            folders.setdefault(name, []).append(item)
    whole = {name: items for name, items in folders.items() if _holds(items, f"{parent}/{name}/{marker}")}
    return {name: _stamp(items) for name, items in whole.items()}


def stamp(store: Store, key: str, marker: str) -> str | None:
    """Return the stamp of one folder, None when it is not there or not whole."""
    items = store.items(key)
    return _stamp(items) if _holds(items, f"{key}/{marker}") else None


def publish(store: Store, source: Path, key: str, marker: str, kept: frozenset[str] = frozenset()) -> None:
    """Copy a folder of this host into the store, in place of the one that is there, but for the files `kept`.

    Cut off at any point, the folder is not there for readers; done again, it is whole.
    """
    files = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
    before = {item.key.removeprefix(f"{key}/") for item in store.items(key)}
    store.remove(f"{key}/{marker}")
    for name in sorted(files.keys() - {marker} - (kept & before)):
        store.put(files[name], f"{key}/{name}")
    for name in before - files.keys() - kept:
        store.remove(f"{key}/{name}")
    store.put(files[marker], f"{key}/{marker}")


def fetch(store: Store, key: str, target: Path, marker: str, aside: Path) -> str:
    """Copy a folder of the store to `target`, in place of what is there, and return its stamp.

    It is gathered below `aside`, on the same file system. Raises StoreError when the store's is not whole, or
    changes meanwhile.
    """
    before = store.items(key)
    if not _holds(before, f"{key}/{marker}"):
        raise StoreError(f"{store.address(key)} is not there, or not whole")
    folder, old = aside / uuid4().hex, aside / uuid4().hex
    try:
        for item in before:
            store.fetch(item.key, folder / item.key.removeprefix(f"{key}/"))
        if store.items(key) != before:
            raise StoreError(f"{store.address(key)} changed while it was read")
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.rename(old)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return _stamp(before)


def remove(store: Store, key: str, marker: str) -> None:
    """Delete a folder of the store, its marker first."""
    store.remove(f"{key}/{marker}")
    for item in store.items(key):
        store.remove(item.key)


def _holds(items: Iterable[Item], key: str) -> bool:
    return any(item.key == key for item in items)


def _stamp(items: Iterable[Item]) -> str:
    told = "\n".join(f"{item.key} {item.size} {item.modified_ns} {item.tag}" for item in items)
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
