"""What ingest remembers from one frame to the next, and commits with its position."""

import msgspec

from services.ingest.tracking import Tracks


class Progress(msgspec.Struct, frozen=True):
    """Number of the shot, the faces that are followed in it, and when each of them was last explained."""

    shot: int = 0
    tracks: Tracks = Tracks()
    explained_s: dict[int, float] = {}


def store(progress: Progress) -> bytes:
    """Return the progress as JSON."""
    return msgspec.json.encode(progress)


def restore(state: bytes) -> Progress:
    """Return the progress that `store` wrote; of nothing, that at the start of a clip.

    Raises msgspec.MsgspecError when it is damaged.
    """
    return msgspec.json.decode(state, type=Progress) if state else Progress()
