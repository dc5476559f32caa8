"""The columns of a clip's timeline."""

from typing import Final

from shared.emotions import EMOTIONS

COLUMNS: Final[dict[str, str]] = {
    "frame": "int64",
    "time_s": "float64",
    "shot": "int64",
    "face": "Int32",
    "track": "Int32",
    "box_x": "Int32",
    "box_y": "Int32",
    "box_w": "Int32",
    "box_h": "Int32",
    "emotion": "string",
    "confidence": "float32",
    **{f"p_{emotion}": "float32" for emotion in EMOTIONS},
    "aligned": "boolean",
    "model": "string",
}
"""The timeline's columns, in order, and their pandas types; `docs/files.md` says what they mean."""
