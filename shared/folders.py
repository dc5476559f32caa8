"""Files that come and go in folders which people and other programs use too."""

import hashlib
import itertools
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path, PurePath, PurePosixPath
from typing import Final
from uuid import uuid4

_DIGEST_BYTES: Final = 16
_DIGEST: Final = re.compile(rf"\d+-[0-9a-f]{{{2 * _DIGEST_BYTES}}}")
_NAME_BYTES: Final = 255
"""Longest name of a file on the common file systems."""
_SPARE_BYTES: Final = 16
"""What a name leaves for the endings of the files beside it."""
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_candidate(path: Path, root: Path) -> bool:
    """Tell whether a file below `root` may be a clip.

    It is not when it or a folder on the way is hidden or a symbolic link, when it is still being written
    (`*.part`), or when it is no regular file.
    """
    relative = path.relative_to(root)
    return is_called_a_clip(relative) and path.is_file() and path.resolve() == root.resolve() / relative


def is_called_a_clip(relative: PurePath) -> bool:
    """Tell whether a file with this path below a folder of clips may be one: nothing hidden, no `*.part`."""
    return not any(part.startswith(".") for part in relative.parts) and relative.suffix.lower() != ".part"


def printable(name: str) -> str:
    """Return a name that can be shown and stored: what steers terminals or text direction is replaced."""
    return "".join(
        _REPLACEMENT
        if unicodedata.category(character) in _HIDDEN_CATEGORIES or character in _BIDI_CONTROLS
        else character
        for character in name
    )


def content_digest(path: Path) -> str:
    """Return what tells a file's content from any other: `size-hash`, in bytes and BLAKE2b, 16 bytes in hex.

    Raises OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        return digest_of(file)


def digest_of(file: BufferedIOBase) -> str:
    """Return the `content_digest` of an open file, which is read from its beginning to its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_DIGEST_BYTES))
    return f"{size}-{digest.hexdigest()}"


def is_digest(text: str) -> bool:
    """Tell whether a text can be a `content_digest`."""
    return _DIGEST.fullmatch(text) is not None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all, in place of one that is there. Raises OSError."""
    # Without the name in it: with it, the name beside a long one would be too long.
    partial = path.with_name(f".{uuid4().hex}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def move_clip(source: Path, into: Path, name: str, *, beside: str = "") -> Path:
    """Move a file into a folder and return where it went.

    `name` may have sub-folders (POSIX) and is not trusted: the file never leaves `into`, whatever the name or
    the links in `into` say. Nothing is overwritten: where the name is taken, the next of `name (2)`,
    `name (3)`, … is used; `beside` is the ending of a second file that is to lie beside it. Raises OSError
    when the file cannot be moved; it is then where it was.
    """
    target = _reserve(into, name, beside)
    try:
        shutil.move(source, target)
    except OSError:
        target.unlink(missing_ok=True)
        raise
    return target


def free_names(name: str) -> Iterator[PurePosixPath]:
    """Yield what a file may be called in a folder: `name`, then `name (2)`, `name (3)`, … without end.

    `name` may have sub-folders and is not trusted: none of these leads out of the folder.
    """
    parts = [part for part in PurePosixPath(printable(name)).parts if part not in ("/", "..")]
    *folders, last = parts or ["clip"]
    parent = PurePosixPath(*(_shortened(part, "") for part in folders))
    for number in itertools.count(1):
        yield parent / _shortened(last, "" if number == 1 else f" ({number})")


def _reserve(into: Path, name: str, beside: str) -> Path:
    for free in free_names(name):
        target = _made(into, free.parent) / free.name
        if beside and os.path.lexists(f"{target}{beside}"):
            continue
        try:
            target.open("xb").close()
        except FileExistsError:
            continue
        return target
    raise AssertionError("counting does not end")


def _made(into: Path, below: PurePosixPath) -> Path:
    """Make the sub-folder; where a file or a link to elsewhere is in its place, return `into` itself."""
    into.mkdir(parents=True, exist_ok=True)
    folder = into / below
    if folder.resolve().is_relative_to(into.resolve()):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            return into
        return folder
    return into


def _shortened(name: str, mark: str) -> str:
    """Put a mark before the name's suffix and cut its stem to what file systems take, with bytes to spare."""
    pure = PurePosixPath(name)
    stem, suffix = (pure.stem, pure.suffix) if len(pure.suffix.encode()) <= _SPARE_BYTES else (name, "")
    room = _NAME_BYTES - _SPARE_BYTES - len((mark + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore") + mark + suffix
