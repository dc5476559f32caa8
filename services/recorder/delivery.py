"""Where a clip's results go: a folder of this host, or the store that all hosts share."""

import json
from pathlib import Path

from services.recorder import files
from shared.settings import Settings
from shared.storage import results
from shared.storage.places import key_of
from shared.storage.store import Store, open_store
from shared.summary import SUMMARY


def published(settings: Settings, folder: Path, stem: str, clip_id: str) -> Path | None:
    """Return the folder in which this clip's files were published, if they were. Raises StoreError."""
    if _store_of(settings, folder) is None:
        return files.published(folder, stem, clip_id)
    place = folder / _name(stem, clip_id)
    return place if results.is_published(settings, place) else None


def publish(settings: Settings, staged: Path, folder: Path, stem: str, clip_id: str) -> Path:
    """Bring a staged folder to where it belongs, and return where that is. Raises OSError.

    In the store that is `results/<stem>-<id>`: hosts that finish clips of one name at the same time need not
    agree on who gets the shorter one.
    """
    store = _store_of(settings, folder)
    if store is None:
        return files.publish(staged, folder, stem, clip_id)
    results.publish(store, staged, _name(stem, clip_id))
    return folder / _name(stem, clip_id)


def dropped(settings: Settings, place: Path) -> dict[str, int]:
    """Return how many frames are missing from a clip's published files, by reason."""
    store, key = open_store(settings), key_of(settings, place)
    if store is None or key is None:
        return files.dropped(place)
    missing: dict[str, int] = json.loads(store.read(f"{key}/{SUMMARY}")).get("dropped", {})
    return missing


def _store_of(settings: Settings, folder: Path) -> Store | None:
    return open_store(settings) if key_of(settings, folder) == "results" else None


def _name(stem: str, clip_id: str) -> str:
    return f"{stem}-{files.safe_stem(clip_id)}"
