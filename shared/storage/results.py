"""Results: a finished clip's folder, published by the host that wrote it, and read on any host."""

import logging
import shutil
from pathlib import Path
from typing import Final

from shared.people import PEOPLE
from shared.settings import Settings
from shared.storage import trees
from shared.storage.index import Index
from shared.storage.places import key_of
from shared.storage.store import Store, StoreError, open_store
from shared.summary import SUMMARY

logger = logging.getLogger(__name__)

_FOLDER: Final = "results"


def publish(store: Store, staged: Path, name: str) -> None:
    """Put a clip's files into the store as `results/<name>/`; what people said about an earlier run stays."""
    trees.publish(store, staged, f"{_FOLDER}/{name}", SUMMARY, frozenset({PEOPLE}))


def is_published(settings: Settings, folder: Path) -> bool:
    """Tell whether a clip's results are whole: in the store, where there is one, else in their folder."""
    store, key = open_store(settings), key_of(settings, folder)
    if store is None or key is None:
        return folder.is_dir()
    return store.item(f"{key}/{SUMMARY}") is not None


def share(settings: Settings, file: Path) -> None:
    """Put a file of the results that was changed on this host into the store, if there is one."""
    store, key = open_store(settings), key_of(settings, file)
    if store is not None and key is not None and file.is_file():
        store.put(file, key)


def remove(settings: Settings, folder: Path) -> None:
    """Delete a clip's results from the store, if there is one. This host's copy is the caller's."""
    store, key = open_store(settings), key_of(settings, folder)
    if store is not None and key is not None:
        trees.remove(store, key, SUMMARY)


def expired(settings: Settings, limit_ns: int) -> list[Path]:
    """Return the places of the store's results that came before a time (Unix ns), if there is a store."""
    store = open_store(settings)
    found = store.items(_FOLDER) if store is not None else []
    return [
        (settings.home / item.key).parent
        for item in found
        if item.key.count("/") == 2 and item.key.endswith(f"/{SUMMARY}") and item.modified_ns < limit_ns
    ]


def pull(settings: Settings, store: Store, index: Index) -> None:
    """Bring this host's results up to those of the store: what came there or changed is fetched.

    What is gone from the store goes here too, if it came from there. Raises StoreError.
    """
    there = trees.stamps(store, _FOLDER, SUMMARY)
    for name in index.names(_FOLDER) - there.keys():
        shutil.rmtree(settings.results / name, ignore_errors=True)
        index.drop(f"{_FOLDER}/{name}")
    for name, stamp in there.items():
        key, folder = f"{_FOLDER}/{name}", settings.results / name
        if index.stamps.get(key) == stamp and (folder / SUMMARY).is_file():
            continue
        try:
            index.put(key, trees.fetch(store, key, folder, SUMMARY, index.aside))
        except FileNotFoundError:
            continue  # it is being replaced or deleted
        except StoreError as error:
            logger.warning("%s", error)
