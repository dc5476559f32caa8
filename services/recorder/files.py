"""The results folder of a clip: written aside, then renamed into place as a whole."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from shared.moments import MOMENTS, ROW_GROUP
from shared.people import PEOPLE
from shared.summary import SUMMARY

_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\ud800-\udfff]')
_LONGEST: Final = (
    150  # bytes of a stem: with the id and the suffixes it stays below a file system's usual 255
)


def safe_stem(name: str) -> str:
    """Return a folder name for a clip's name, which comes from outside.

    The last part of the path without its suffix, without control characters, separators, characters that
    file systems refuse, leading dots, and spaces or dots at its ends; `clip` when nothing is left.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem = _UNSAFE.sub("_", Path(last).stem if last.strip("./") else "")
    short = stem.encode()[:_LONGEST].decode(errors="ignore")
    return short.strip(". ") or "clip"


@contextmanager
def staged_folder(results: Path, stem: str, clip_id: str) -> Iterator[Path]:
    """Yield an empty hidden folder inside `results`, for a clip's files; it is gone when the block ends.

    The name depends on the clip alone, so that a run which was killed leaves nothing behind once it is
    repeated.
    """
    staged = results / f".{stem}-{safe_stem(clip_id)}.partial"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def write_tables(folder: Path, timeline: pd.DataFrame, moments: pa.Table, summary: dict[str, Any]) -> None:
    """Write `timeline.parquet`, `timeline.csv`, `moments.parquet` and `summary.json` into a folder."""
    timeline.to_parquet(folder / "timeline.parquet", index=False)
    timeline.to_csv(folder / "timeline.csv", index=False)
    pq.write_table(moments, folder / MOMENTS, row_group_size=ROW_GROUP)
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / SUMMARY).write_text(text + "\n", encoding="utf-8", errors="replace")


def publish(staged: Path, results: Path, stem: str, clip_id: str) -> Path:
    """Rename a staged folder into place and return where it is now.

    The place is `results/<stem>`; where that belongs to something else, `<stem>-<first 8 of the id>`, and at
    last `<stem>-<id>`. An earlier folder of the same clip is replaced, but for what people said about it.
    """
    safe_id = safe_stem(clip_id)
    for name in (stem, f"{stem}-{safe_id[:8]}", f"{stem}-{safe_id}"):
        place = results / name
        if owner_of(place) == clip_id:
            _replace(place, staged)
            return place
        try:
            staged.rename(place)  # onto an existing folder only if that is empty
        except (FileExistsError, NotADirectoryError):
            continue
        except OSError as error:
            if not place.exists():
                raise error
            continue
        return place
    raise FileExistsError(f"{results / stem} and its alternatives belong to other clips")


def published(results: Path, stem: str, clip_id: str) -> Path | None:
    """Return the folder in which this clip's files were published, if they were."""
    safe_id = safe_stem(clip_id)
    places = (results / name for name in (stem, f"{stem}-{safe_id[:8]}", f"{stem}-{safe_id}"))
    return next((place for place in places if owner_of(place) == clip_id), None)


def dropped(folder: Path) -> dict[str, int]:
    """Return how many frames are missing from a clip's published files, by reason."""
    missing: dict[str, int] = json.loads((folder / SUMMARY).read_text(encoding="utf-8")).get("dropped", {})
    return missing


def owner_of(folder: Path) -> str | None:
    """Return the id of the clip whose results are in a folder; None where there are none."""
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    owner = summary.get("id") if isinstance(summary, dict) else None
    return owner if isinstance(owner, str) else None


def _replace(place: Path, staged: Path) -> None:
    with suppress(FileNotFoundError):  # the clip is the same, and so are its tracks
        shutil.copy2(place / PEOPLE, staged / PEOPLE)
    old = staged.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    place.rename(old)
    staged.rename(place)
    shutil.rmtree(old, ignore_errors=True)
