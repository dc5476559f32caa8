"""Models and their galleries: put into the store at a promotion, fetched by the hosts that read with them."""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Final

from shared.errors import ModelError
from shared.folders import content_digest, write_whole
from shared.gallery import HEAD_FILE, gallery_folder
from shared.poster.active import ACTIVE_FILE, Promotion, active, decode_promotions
from shared.poster.config import read_config
from shared.poster.folder import BUNDLED, CONFIG_FILE, check_name, find_folder, model_id
from shared.settings import Settings
from shared.storage import trees
from shared.storage.index import Index, fetching
from shared.storage.store import Store, open_store

logger = logging.getLogger(__name__)

_PROMOTIONS: Final = f"models/{ACTIVE_FILE}"


def fetch(settings: Settings, name: str) -> None:
    """Fetch a model by name, with its base, if it is not here and there is a store that has it.

    Raises StoreError, and ModelError when it cannot be written.
    """
    store = open_store(settings)
    if store is not None:
        check_name(name)
        with fetching(settings, wait=True) as index:
            if index is not None:
                fetch_into(settings, store, index, name)


def share(settings: Settings, name: str) -> None:
    """Put a model, its base and its gallery into the store, if there is one; bundled models are everywhere.

    Raises StoreError, and ModelError when the store has another model of this name.
    """
    store = open_store(settings)
    if store is None:
        return
    folder = find_folder(name, settings.models)
    if folder.parent == BUNDLED:
        return
    base = read_config(folder / CONFIG_FILE).base
    if base is not None:
        share(settings, base.partition("@")[0])
    key = f"models/{folder.name}"
    if store.item(f"{key}/{CONFIG_FILE}") is None:
        trees.publish(store, folder, key, CONFIG_FILE)
    elif not _same(store, key, folder):
        raise ModelError(f"the store has another model {folder.name}: choose another name for this one")
    if store.item(f"gallery/{model_id(folder)}/{HEAD_FILE}") is None:
        share_gallery(settings, model_id(folder))


def share_gallery(settings: Settings, model: str) -> None:
    """Put a model's gallery, if it has one here, into the store, if there is one. Raises StoreError."""
    store, folder = open_store(settings), gallery_folder(settings.gallery, model)
    if store is not None and folder is not None:
        trees.publish(store, folder, f"gallery/{model}", HEAD_FILE)


def share_promotions(settings: Settings) -> None:
    """Tell all hosts which model is the active one here, if there is a store. Raises StoreError."""
    store = open_store(settings)
    if store is not None:
        share(settings, active(settings.models).name)
        store.write(_PROMOTIONS, (settings.models / ACTIVE_FILE).read_bytes())


def pull(settings: Settings, store: Store, index: Index) -> None:
    """Make the store's active model the one of this host, once it and its gallery are here.

    Raises ModelError when it is not the model that was promoted, or the store does not say which one it is.
    """
    if store.item(_PROMOTIONS) is None:
        return
    told = store.read(_PROMOTIONS)
    promotion = decode_promotions(told, store.address(_PROMOTIONS))[-1]
    file = settings.models / ACTIVE_FILE
    is_new = not file.is_file() or file.read_bytes() != told
    if is_new:
        fetch_into(settings, store, index, promotion.name)
        _check(settings, promotion)
    _fetch_gallery(settings, store, index, promotion)
    if is_new:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, told)
        logger.info("%s is the active model, says the store", promotion.id or promotion.name)


def fetch_into(settings: Settings, store: Store, index: Index, name: str) -> None:
    """Do as `fetch`, for one who holds the index. A model's folder never changes: one that is here stays."""
    folder = settings.models / name
    bundled = (BUNDLED / name / CONFIG_FILE).is_file()
    if not (folder / CONFIG_FILE).is_file() and not bundled:
        if store.item(f"models/{name}/{CONFIG_FILE}") is None:
            return
        trees.fetch(store, f"models/{name}", folder, CONFIG_FILE, index.aside)
        logger.info("model %s has been fetched from the store", name)
    if (folder / CONFIG_FILE).is_file():
        base = read_config(folder / CONFIG_FILE).base
        if base is not None:
            fetch_into(settings, store, index, base.partition("@")[0])


def _check(settings: Settings, promotion: Promotion) -> None:
    folder = find_folder(promotion.name, settings.models)
    if promotion.id is None or folder.parent == BUNDLED:
        return
    here = model_id(folder)
    if here != promotion.id:
        raise ModelError(f"the store's active model is {promotion.id}, the one in {folder} is {here}")


def _fetch_gallery(settings: Settings, store: Store, index: Index, promotion: Promotion) -> None:
    model = promotion.id or model_id(find_folder(promotion.name, settings.models))
    key, folder = f"gallery/{model}", settings.gallery / model
    if trees.stamp(store, key, HEAD_FILE) in (None, index.stamps.get(key)):
        return
    with suppress(FileNotFoundError):  # it is being replaced
        index.put(key, trees.fetch(store, key, folder, HEAD_FILE, index.aside))


def _same(store: Store, key: str, folder: Path) -> bool:
    files = (path for path in folder.rglob("*") if path.is_file())
    here = {f"{key}/{path.relative_to(folder).as_posix()}": path for path in files}
    there = {item.key: item.size for item in store.items(key)}
    return there == {name: path.stat().st_size for name, path in here.items()} and all(
        store.digest(name) == content_digest(path) for name, path in here.items()
    )
