"""The addresses of pages, relative to the page one is on."""

from urllib.parse import urlencode


def moment(clip: str, time_s: float) -> str:
    """Return where a clip is shown at a time, in seconds."""
    return "./?" + urlencode({"clip": clip, "t": f"{time_s:.3f}"}, errors="replace")


def alike(clip: str, track: int, frame: int) -> str:
    """Return where the moments are shown that look like the face of a track in a frame of a clip."""
    return "./search?" + urlencode({"like": clip, "track": track, "frame": frame}, errors="replace")
