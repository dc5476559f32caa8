"""Small pictures of a clip under way, for whoever looks on: the newest few, gone soon after the last one."""

from contextlib import suppress
from typing import Final

from shared.errors import MessageError
from shared.messages import Preview, decode, encode
from shared.queues.broker import Broker
from shared.queues.results import START
from shared.queues.shards import keys_of

KEPT: Final = 32
"""Pictures of a clip that the broker holds."""
_EXPIRY_S: Final = 60


def put(broker: Broker, clip_id: str, preview: Preview) -> None:
    """Add a picture; beyond `KEPT` the oldest goes, and all of them a minute after the last one."""
    stream = keys_of(broker, clip_id).previews(clip_id)
    broker.client.xadd(stream, {"m": encode(preview)}, maxlen=KEPT, approximate=False)
    broker.client.expire(stream, _EXPIRY_S)


def after(broker: Broker, clip_id: str, cursor: str = START) -> tuple[list[Preview], str]:
    """Return the pictures that were added after `cursor`, the oldest first, and the next cursor.

    Those that cannot be decoded are left out.
    """
    found, stream = [], keys_of(broker, clip_id).previews(clip_id)
    for entry, fields in broker.client.xrange(stream, f"({cursor}", "+", count=2 * KEPT):
        cursor = entry.decode()
        with suppress(MessageError):
            found.append(decode(Preview, fields.get(b"m", b"")))
    return found, cursor
