"""A finished clip's files in other formats, made from its results folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from services.recorder.moments import SCHEMA
from services.recorder.report import build_report
from services.recorder.thumbnails import best_faces
from shared import reader
from shared.captions import captions_of
from shared.errors import DataError
from shared.figures.persons import moments_by_person
from shared.moments import MOMENTS
from shared.people import People, load
from shared.summary import SUMMARY
from shared.timeline import COLUMNS

_PICTURED: Final = pa.schema([SCHEMA.field(name) for name in ("frame", "time_s", "face", "track", "aligned")])


@dataclass(frozen=True)
class Results:
    """A finished clip's results folder; without `pictures`, no face leaves it."""

    folder: Path
    pictures: bool = True

    def timeline(self) -> pd.DataFrame:
        """Return the timeline, columns `shared.timeline.COLUMNS`. Raises DataError."""
        return self.table()[list(COLUMNS)]

    def table(self) -> pd.DataFrame:
        """Return the timeline with `person` and `hidden`, as `reader.read` does. Raises DataError."""
        return reader.read(self.folder).drop(columns="clip")

    def people(self) -> People:
        """Return what was said about the people of the clip. Raises DataError."""
        return load(self.folder)

    def summary(self) -> dict[str, Any]:
        """Return the summary. Raises DataError."""
        try:
            known = json.loads((self.folder / SUMMARY).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{self.folder / SUMMARY} cannot be read: {_reason(error)}") from None
        if not isinstance(known, dict):
            raise DataError(f"{self.folder / SUMMARY} is no summary")
        return known

    def moments(self) -> pa.Table | None:
        """Return what of `moments.parquet` has to do with pictures, None without. Raises DataError."""
        path = self.folder / MOMENTS
        if not self.pictures or not path.is_file():
            return None
        try:
            return pq.read_table(path, columns=_PICTURED.names).select(_PICTURED.names).cast(_PICTURED)
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise DataError(f"{path} cannot be read: {_reason(error)}") from None


def thumbnails(results: Results) -> dict[int, bytes]:
    """Return the best face of each person who is not hidden as JPEG, by the track that stands for the person.

    Raises DataError where there is none.
    """
    moments = results.moments()
    known = None if moments is None else moments_by_person(moments, results.people())
    faces = {} if known is None else best_faces(results.timeline(), known)
    if not faces:
        raise DataError(f"the results in {results.folder} hold no pictures of faces")
    return faces


def _copy(name: str) -> Callable[[Results], bytes]:
    def copy(results: Results) -> bytes:
        try:
            return (results.folder / name).read_bytes()
        except OSError as error:
            raise DataError(f"{results.folder / name} cannot be read: {_reason(error)}") from None

    return copy


def _json(results: Results) -> bytes:
    rows = results.table().to_json(orient="records", double_precision=6)
    notes = msgspec.json.encode(results.people().notes).decode()
    return (
        f'{{"summary": {json.dumps(results.summary())},\n"notes": {notes},\n"timeline": {rows}}}\n'.encode()
    )


def _captions(results: Results) -> bytes:
    return captions_of(results.timeline(), results.people()).encode()


def _report(results: Results) -> bytes:
    summary = results.summary()
    warnings = summary.get("warnings")
    return build_report(
        results.timeline(),
        str(summary.get("clip", results.folder.name)),
        [str(line) for line in warnings] if isinstance(warnings, list) else [],
        results.moments(),
        results.people(),
    ).encode(errors="replace")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).split("\n", 1)[0]


FILES: Final[dict[str, Callable[[Results], bytes]]] = {
    "csv": _copy("timeline.csv"),
    "parquet": _copy("timeline.parquet"),
    "json": _json,
    "vtt": _captions,
    "html": _report,
}
"""What makes a file of each format, by the file's suffix. Each raises DataError for results it cannot use."""
