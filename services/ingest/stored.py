"""Clips that arrive in the store, and the way there from this host's own folder."""

import logging
from collections.abc import Mapping
from pathlib import Path

from services.ingest.incoming import Sighting, look, sighted
from shared.folders import printable
from shared.settings import Settings
from shared.storage.clips import arrived, hand_up
from shared.storage.store import StoreError

logger = logging.getLogger(__name__)


def look_in_store(settings: Settings, before: Mapping[Path, Sighting], now_s: float) -> dict[Path, Sighting]:
    """Look through the store's `incoming/` as `services.ingest.incoming.look` does through a folder.

    The paths are those that the files would have in this host's home. Raises StoreError.
    """
    return {
        path: sighted(before.get(path), size, modified_ns, now_s)
        for path, (size, modified_ns) in arrived(settings).items()
    }


def hand_up_dropped(
    settings: Settings, before: Mapping[Path, Sighting], now_s: float
) -> tuple[Mapping[Path, Sighting], frozenset[Path]]:
    """Move what was dropped into this host's own folder, and is still, into the store.

    Returns what else lies there, and the links, as `services.ingest.incoming.look`. Raises StoreError.
    """
    seen = look(settings.incoming, before, now_s)
    left = dict(seen.files)
    for path, sighting in seen.files.items():
        if now_s - sighting.since_s < settings.stable_s:
            continue
        name = path.relative_to(settings.incoming).as_posix()
        try:
            hand_up(settings, path, settings.incoming, name)
        except StoreError:
            raise
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            logger.warning("%s stays where it is: %s", printable(name), reason)
            continue
        del left[path]
        logger.info("%s is in the store", printable(name))
    return left, seen.links
