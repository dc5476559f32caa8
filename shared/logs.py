"""Log lines: one readable line per event, or one JSON object per event for machines."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

_TEXT: Final = "%(asctime)s  %(message)s"
_CHATTY: Final = ("faiss", "numexpr", "PIL")
_clip: Final[ContextVar[str]] = ContextVar("clip", default="")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON (RFC 8259).

    Fields: `time` (RFC 3339, UTC), `level`, `logger`, `pid`, `message`; `clip`, the id of the clip that the
    line is about, where it is about one; `error`, the traceback, where there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process or 0,
            "message": record.getMessage(),
        }
        if clip := _clip.get():
            line["clip"] = clip
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode({name: _encodable(value) for name, value in line.items()}).decode()


def _encodable(value: str | int) -> str | int:
    """Return a text with what is no Unicode in it (file names may be) spelt out."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def configure(level: str, form: str) -> None:
    """Send log lines to standard error; `form` is `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(_TEXT, datefmt="%H:%M:%S"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


@contextmanager
def copied_to(file: Path) -> Iterator[None]:
    """Append every line that is logged inside the block to a file as well, as text."""
    handler = logging.FileHandler(file, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter(_TEXT, datefmt="%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


@contextmanager
def about(clip_id: str) -> Iterator[None]:
    """Name a clip in the JSON of every line that is logged inside the block, by this thread."""
    token = _clip.set(clip_id)
    try:
        yield
    finally:
        _clip.reset(token)
