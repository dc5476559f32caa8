"""Files that come through the page: checked, written aside, then renamed into the incoming folder."""

import secrets
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from shared.errors import ReelmoodError
from shared.folders import move_clip, printable
from shared.settings import Settings

VIDEOS: Final = (
    "mp4",
    "m4v",
    "mov",
    "mkv",
    "webm",
    "avi",
    "mpg",
    "mpeg",
    "ts",
    "mts",
    "flv",
    "wmv",
    "ogv",
    "gif",
)
PICTURES: Final = ("jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff")

MEGABYTE: Final = 1 << 20
_LONGEST_S: Final = 60


def store(settings: Settings, name: str, size: int, file: BinaryIO) -> str:
    """Put an uploaded file of `size` bytes into the incoming folder and return its name there.

    `name` is not trusted: its last part counts, without what hides a file. Raises ReelmoodError, in one line,
    for a file that is too large, of a kind that clips do not come in, or of which nothing can be decoded.
    """
    last = name_of(name)
    if Path(last).suffix.lower().removeprefix(".") not in VIDEOS + PICTURES:
        raise ReelmoodError("this is no kind of file that clips come in")
    if size > settings.upload_mb * MEGABYTE:
        raise ReelmoodError(f"it is larger than {settings.upload_mb} MB (REELMOOD_UPLOAD_MB)")
    aside = settings.incoming / f".upload-{secrets.token_hex(8)}.part"
    try:
        settings.incoming.mkdir(parents=True, exist_ok=True)
        with aside.open("xb") as target:
            shutil.copyfileobj(file, target)
        _check(aside)
        return move_clip(aside, settings.incoming, last).name
    except OSError as error:
        raise ReelmoodError(f"it cannot be stored: {(error.strerror or str(error)).lower()}") from None
    finally:
        with suppress(OSError):
            aside.unlink()


def name_of(name: str) -> str:
    """Return the name that an uploaded file gets: no folders, nothing that hides it or steers a terminal."""
    return printable(name.replace("\\", "/").rpartition("/")[2]).strip().lstrip(".") or "clip"


def _check(path: Path) -> None:
    command = [sys.executable, "-m", "services.dashboard.intake.check", str(path.absolute())]
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReelmoodError("it takes too long to open") from None
    if answer.returncode < 0:
        raise ReelmoodError("it cannot be opened: the decoder gave up")
    if answer.returncode:
        lines = answer.stderr.strip().splitlines()
        raise ReelmoodError(lines[-1] if lines else "it cannot be opened")
