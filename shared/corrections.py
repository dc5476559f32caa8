"""The faces that a person has confirmed or corrected: a data set that grows with every look.

What a person says is no face at all is kept too, so that it does not come up again, but is no training data.

A folder holds `labels.jsonl`, a `Correction` on each line, and `faces/`, the JPEG pictures that they name,
byte for byte as in the results they come from. Files are replaced as wholes: a kill leaves no part of one.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from shared.emotions import EMOTIONS
from shared.errors import DataError

LABELS_FILE: Final = "labels.jsonl"
PICTURES: Final = "faces"
NO_FACE: Final = "no face"
"""In place of an emotion: the picture shows no face."""

_PICTURE: Final = re.compile(r"[0-9a-f]{32}\.jpg")
_LOCK: Final = ".lock"

Emotion = Literal["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
Label = Emotion | Literal["no face"]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A face and the emotion that a person sees in it, or `NO_FACE`.

    `predicted` is what `model` saw, with its `confidence` (0–1). `clip` is the clip's id, `content` the
    digest of its file (empty if unknown), `name` the file's; `frame`, `face`, `track` and `time_s` (seconds)
    as in the timeline; `decided_s` when it was decided, Unix seconds.
    """

    label: Label
    predicted: Emotion
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    model: str
    clip: str
    content: str
    name: str
    frame: Count
    face: Count
    track: Count
    time_s: float
    decided_s: float

    @property
    def picture(self) -> str:
        """The name of its file in `faces/`: one for each face, whatever the clip is called."""
        return picture_of(self.clip, self.frame, self.face)


def picture_of(clip: str, frame: int, face: int) -> str:
    """Return the name of a face's picture."""
    place = f"{frame} {face} {clip}".encode(errors="replace")
    return f"{hashlib.blake2b(place, digest_size=16).hexdigest()}.jpg"


def read(folder: Path) -> list[Correction]:
    """Return the corrections in a folder, the earliest first; none where there is no folder.

    Raises DataError, naming the line, when the labels cannot be read.
    """
    path, found = folder / LABELS_FILE, []
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        try:
            found.append(msgspec.json.decode(line, type=Correction))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise DataError(f"{path}, line {number}: {error}") from None
    return found


def put(folder: Path, corrections: Mapping[Correction, bytes]) -> None:
    """Add corrections, each with its picture (JPEG); one of the same face is replaced.

    Raises DataError when the labels that are there cannot be read, or the folder cannot be written.
    """

    def add(held: dict[str, Correction]) -> None:
        for correction, picture in corrections.items():
            _replace(folder / PICTURES / correction.picture, picture)
            held[correction.picture] = correction

    _change(folder, add)


def withdraw(folder: Path, pictures: Collection[str]) -> None:
    """Take corrections back, by the names of their pictures. Raises DataError as `put`."""
    _keep(folder, lambda one: one.picture not in pictures)


def forget(folder: Path, ids: Collection[str], content: str) -> None:
    """Remove the corrections of a clip, by the ids of its runs or, if known, its content.

    Raises DataError as `put`.
    """
    _keep(folder, lambda one: not is_of(one, ids, content))


def is_of(correction: Correction, ids: Collection[str], content: str) -> bool:
    """Tell whether a correction is of a clip, by the ids of its runs or, if known, its content."""
    return correction.clip in ids or bool(content and correction.content == content)


def counts(corrections: Collection[Correction]) -> dict[str, int]:
    """Return how many faces carry each of `EMOTIONS`."""
    return {emotion: sum(one.label == emotion for one in corrections) for emotion in EMOTIONS}


def faces(corrections: Iterable[Correction]) -> list[Correction]:
    """Return the corrections of what is a face, in their order: those to train on."""
    return [one for one in corrections if one.label != NO_FACE]


def _keep(folder: Path, is_kept: Callable[[Correction], bool]) -> None:
    if not folder.is_dir():
        return

    def drop(held: dict[str, Correction]) -> None:
        for picture in [name for name, one in held.items() if not is_kept(one)]:
            del held[picture]

    _change(folder, drop)


def _change(folder: Path, change: Callable[[dict[str, Correction]], None]) -> None:
    """Change the corrections, by the names of their pictures, while nobody else does."""
    try:
        with _locked(folder):
            held = {one.picture: one for one in read(folder)}
            change(held)
            _replace(
                folder / LABELS_FILE, b"".join(msgspec.json.encode(one) + b"\n" for one in held.values())
            )
            for stray in _pictures(folder):
                if stray.name not in held:
                    stray.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}") from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pictures(folder: Path) -> list[Path]:
    return [
        path for path in (folder / PICTURES).iterdir() if _PICTURE.fullmatch(path.name.removesuffix(".part"))
    ]


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
