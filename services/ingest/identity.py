"""Which clips are the same."""

import hashlib
from typing import Final

import msgspec

from shared.settings import Settings

_DIGEST_BYTES: Final = 16
_DECIDING: Final = (
    "model",
    "min_face_fraction",
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
