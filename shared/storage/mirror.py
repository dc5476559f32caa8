"""Keeps a home up with the store: the active model and its gallery and, where they are read, all results."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.errors import ReelmoodError
from shared.poster.active import ACTIVE
from shared.settings import Settings
from shared.storage import models, results
from shared.storage.index import fetching
from shared.storage.store import Store, StoreError, open_store

logger = logging.getLogger(__name__)

_PATIENCE_S: Final = 5.0
_SHARE: Final = 10
"""A look that takes long is followed by a pause so many times as long."""


def pull(settings: Settings, *, with_results: bool) -> None:
    """Bring this home up to the store, if there is one.

    Raises StoreError, and ModelError as `models.pull`.
    """
    store = open_store(settings)
    if store is not None:
        _look(settings, store, with_results=with_results, wait=True)


@contextmanager
def mirroring(settings: Settings, *, with_results: bool = False) -> Iterator[None]:
    """Keep this home up with the store, if there is one, until the block ends: from a thread of its own.

    When the block begins the active model is here, and the one that `settings` name. Of the processes of a
    home one fetches at a time. Raises StoreError when the store cannot be used at first; later it is asked
    again and again.
    """
    store = open_store(settings)
    if store is None:
        yield
        return
    store.items("models")  # asked for a single file, a bucket that does not exist seems to be empty
    try:
        _look(settings, store, with_results=False, wait=True)
    except StoreError:
        raise
    except ReelmoodError as error:
        logger.warning("%s; the model before it stays", error)
    ended = threading.Event()
    thread = threading.Thread(
        target=_keep_up, args=(settings, store, with_results, ended), name="mirror", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_PATIENCE_S)


def _keep_up(settings: Settings, store: Store, with_results: bool, ended: threading.Event) -> None:
    said, pause_s = "", 0.0
    while not ended.wait(pause_s):
        began_s = time.monotonic()
        try:
            _look(settings, store, with_results=with_results, wait=False)
            now = ""
        except (ReelmoodError, OSError) as error:
            now = str(error)
        if now and now != said:
            logger.warning("%s; asked again", now)
        said, pause_s = now, max(settings.store_poll_s, _SHARE * (time.monotonic() - began_s))


def _look(settings: Settings, store: Store, *, with_results: bool, wait: bool) -> None:
    with fetching(settings, wait=wait) as index:
        if index is None:
            return
        try:
            if settings.model != ACTIVE and "/" not in settings.model:
                models.fetch_into(settings, store, index, settings.model)
            models.pull(settings, store, index)
        finally:
            if with_results:
                results.pull(settings, store, index)
