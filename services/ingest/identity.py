"""Which clips are the same."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from shared.settings import Settings

_DIGEST_BYTES: Final = 16
_CHUNK_BYTES: Final = 1 << 20
_DECIDING: Final = (
    "model",
    "min_face_fraction",
    "crop_margin",
    "crop_size",
    "jpeg_quality",
    "explain_every_s",
    "neighbours",
)


def clip_id(path: Path, settings: Settings) -> str:
    """Return the id of a clip: BLAKE2b, 16 bytes in hex, of its content and of what decides its rows.

    Name and place do not count. Raises OSError when the file cannot be read.
    """
    deciding = {name: getattr(settings, name) for name in _DECIDING}
    digest = hashlib.blake2b(msgspec.json.encode(deciding), digest_size=_DIGEST_BYTES)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
