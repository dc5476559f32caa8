"""Which clips are the same, and what a file is ordered as."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from shared.queues.clips import Clip
from shared.settings import Settings
from shared.storage.places import reference

_DIGEST_BYTES: Final = 16
_DECIDING: Final = (
    "model",
    "min_face_fraction",
    "search_every_s",
    "crop_margin",
    "crop_size",
    "jpeg_quality",
    "explain_every_s",
    "neighbours",
    "max_frames",
)


def clip_id(content: str, settings: Settings) -> str:
    """Return the id of a clip: BLAKE2b, 16 bytes in hex, of its content and of what decides its rows.

    `content` is its digest (`shared.folders.content_digest`); name and place do not count.
    """
    deciding = {name: getattr(settings, name) for name in _DECIDING}
    digest = hashlib.blake2b(msgspec.json.encode([deciding, content]), digest_size=_DIGEST_BYTES)
    return digest.hexdigest()


def clip_of(path: Path, content: str, settings: Settings, *, name: str, keep_source: bool = False) -> Clip:
    """Return what the file at `path` is ordered as, under the settings of now; `content` as in `clip_id`."""
    return Clip(
        id=clip_id(content, settings),
        name=name,
        path=reference(settings, path),
        results=reference(settings, settings.results),
        model=settings.model,
        annotate=settings.annotate or settings.blur,
        blur=settings.blur,
        content=content,
        keep_source=keep_source,
    )
