"""Reading the results of clips: what `import reelmood` offers. Needs neither broker nor model.

Columns and units are those of `docs/files.md`.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.people import load, name_of, person_of
from shared.summary import SUMMARY
from shared.timeline import COLUMNS

TABLES: Final = ("timeline.parquet", "timeline.csv")
"""The two files of one timeline, the preferred first."""

_FEELINGS: Final = pd.CategoricalDtype(list(EMOTIONS))
_FIGURES: Final = {
    "id": "string",
    "name": "string",
    "model": "string",
    "width": "Int32",
    "height": "Int32",
    "duration_s": "float64",
    **dict.fromkeys(("frames", "frames_with_faces", "faces", "failed_faces", "tracks", "shots"), "Int64"),
    **{f"share_{emotion}": "float64" for emotion in EMOTIONS},
    "wall_s": "float64",
    "frames_per_s": "float64",
}


def read(path: str | Path) -> pd.DataFrame:
    """Return the timelines below `path`: one row per face, and one for every frame without a face.

    `path` is a clip's results folder, its `timeline.parquet` or `timeline.csv`, a folder of results folders,
    or a home (the folder that holds `results`). The first column, `clip`, is the name of the results folder,
    categorical. The others: `frame` (0-based), `time_s` (presentation time in seconds), `shot`, `face`,
    `track`, `box_x box_y box_w box_h` (pixels of the upright frame), `emotion` (categorical, all seven, in
    the order of `EMOTIONS`), `confidence` and `p_angry … p_surprise` in [0, 1], `aligned`, `model`; and from
    the `people.json` beside the timeline `person` (categorical: the name that was given, else `track 3`; the
    same for all tracks of a person) and `hidden` (boolean, never empty: whether the person was hidden). The
    columns of a face are empty in a frame without one, and those of its emotion where the face was given up.
    Both files of a timeline give the same table. Raises DataError when there is nothing to read or it cannot
    be read.
    """
    tables = {table.parent.name: _with_people(_table(table), table.parent) for table in _tables(Path(path))}
    joined = pd.concat(tables.values(), ignore_index=True).astype({"model": "category", "person": "category"})
    codes = np.repeat(np.arange(len(tables)), [len(table) for table in tables.values()])
    joined.insert(0, "clip", pd.Series(pd.Categorical.from_codes(codes, pd.Index(list(tables)))))
    return joined


def summary(path: str | Path) -> pd.DataFrame:
    """Return what the summaries below `path` say: one row per clip, indexed by `clip` as in `read`.

    `path` as for `read`. Columns: `id`, `name` (of the clip's file), `model`, `width`, `height` (pixels),
    `duration_s`, `frames`, `frames_with_faces`, `faces`, `failed_faces`, `tracks`, `shots`, `share_angry …
    share_surprise` (shares of face time, which sum to 1; empty without faces), `wall_s` (seconds that the
    analysis took), `frames_per_s`. Raises DataError when there is nothing to read or it cannot be read.
    """
    folders = [table.parent for table in _tables(Path(path))]
    rows = pd.DataFrame([_figures(folder / SUMMARY) for folder in folders], columns=list(_FIGURES))
    rows.index = pd.Index([folder.name for folder in folders], name="clip")
    return rows.astype(_FIGURES)


def _tables(path: Path) -> list[Path]:
    """Return the timeline files that a path stands for, at least one."""
    if path.is_file():
        return [path.absolute()]
    folder = path.absolute()
    for candidates in ([folder], _inside(folder / "results"), _inside(folder)):
        found = [table for each in candidates if (table := _table_of(each)) is not None]
        if found:
            return found
    raise DataError(f"there are no results in {path}")


def _inside(folder: Path) -> list[Path]:
    return sorted(each for each in folder.glob("[!.]*") if each.is_dir())


def _table_of(folder: Path) -> Path | None:
    return next((folder / name for name in TABLES if (folder / name).is_file()), None)


def _table(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".csv":
            table = pd.read_csv(path, usecols=list(COLUMNS), dtype=COLUMNS)
        else:
            table = pd.read_parquet(path, columns=list(COLUMNS)).astype(COLUMNS)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DataError(f"{path} is no timeline: {str(error).splitlines()[0]}") from None
    return table[list(COLUMNS)].astype({"emotion": _FEELINGS})


def _with_people(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    people = load(folder)
    names = {track: name_of(people, int(track)) for track in table["track"].dropna().unique()}
    hidden = [track for track in names if person_of(people, int(track)) in people.hidden]
    person = table["track"].map(names).astype("string")
    return table.assign(person=person, hidden=table["track"].isin(hidden).astype(bool))


def _figures(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        shares = {f"share_{emotion}": share for emotion, share in known["emotions"].items()}
        return {**known, **shares, "name": known["clip"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path} is no summary: {reason}") from None
