"""The report of a clip: one HTML file that holds all it shows and opens without a network."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from services.recorder import charts
from services.recorder.charts import Area, Bar
from services.recorder.thumbnails import best_faces
from shared.emotions import COLOURS
from shared.figures import portraits
from shared.figures.durations import frame_durations
from shared.figures.episodes import Episode, find_episodes, read_faces
from shared.figures.persons import by_person, moments_by_person
from shared.figures.portraits import Portrait
from shared.folders import printable
from shared.people import People, title_of

LANES: Final = 60
"""Most persons in the timeline of a report, those seen longest."""
CARDS: Final = 24
"""Most persons that a report shows one by one."""

_TRANSITIONS: Final = 10
_NO_MOMENTS: Final = pa.table(
    {
        "frame": pa.array([], pa.int64()),
        "face": pa.array([], pa.int32()),
        "track": pa.array([], pa.int32()),
        "time_s": pa.array([], pa.float64()),
        "aligned": pa.array([], pa.binary()),
    }
)


@dataclass(frozen=True)
class Shown:
    """A person as the report shows it, by name; `picture` is a data URI, empty without one."""

    name: str
    portrait: Portrait
    picture: str
    lane: Sequence[Bar]
    areas: Sequence[Area]


def build_report(
    timeline: pd.DataFrame, name: str, warnings: Sequence[str], moments: pa.Table | None, people: People
) -> str:
    """Return the HTML of a report.

    `timeline` has the columns of `shared.timeline.COLUMNS`; `moments` is the table of `moments.parquet`, or
    None for a report without a picture of a face. Merged tracks are one person; hidden persons are left out
    of all but the counts of the clip. Charts are SVG; there is no script, and the page's own policy
    (Content-Security-Policy) forbids it to load anything.
    """
    moments = moments_by_person(_NO_MOMENTS if moments is None else moments, people)
    frames = _frames(timeline)
    start_s, end_s = (frames["time_s"].iloc[0], frames["end_s"].iloc[-1]) if len(frames) else (0.0, 0.0)
    seen = read_faces(timeline)
    faces = by_person(seen, people)
    episodes = find_episodes(faces)
    persons = portraits.portraits(faces, start_s, end_s)
    thumbnails = {person: _uri(picture) for person, picture in best_faces(timeline, moments).items()}
    shown = [_shown(one, _name(people, one.track), thumbnails) for one in persons[:LANES]]
    shots = timeline.drop_duplicates("shot")["time_s"].tolist()
    return _template().render(
        name=printable(name),
        warnings=[printable(line) for line in warnings],
        colours=COLOURS,
        facts=_facts(timeline, frames, seen["track"].nunique()),
        shares=portraits.shares(faces) if len(faces) else {},
        lanes=sorted(shown, key=lambda one: one.portrait.start_s),
        cards=shown[:CARDS],
        persons=len(persons),
        has_hidden=len(faces) < len(seen),
        ticks=charts.ticks(start_s, end_s),
        cuts=charts.marks(shots[1:], start_s, end_s),
        empty=_empty(portraits.stretches(frames), start_s, end_s),
        peaks=_with_pictures(portraits.strongest(episodes), moments),
        names={person: _name(people, person) for person in faces["track"].unique()},
        notes=[(note.time_s, printable(note.text)) for note in people.notes],
        changes=portraits.transitions(episodes)[:_TRANSITIONS],
        clock=charts.clock,
        width=charts.WIDTH,
        height=charts.HEIGHT,
    )


def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html")


def _frames(timeline: pd.DataFrame) -> pd.DataFrame:
    """Return one row per frame: `time_s`, `end_s`, `has_face`."""
    has_face = timeline["face"].notna().groupby(timeline["frame"]).any()
    times = timeline.drop_duplicates("frame").sort_values("frame")["time_s"].to_numpy(np.float64)
    return pd.DataFrame(
        {"time_s": times, "end_s": times + frame_durations(times), "has_face": has_face.to_numpy(bool)}
    )


def _facts(timeline: pd.DataFrame, frames: pd.DataFrame, tracks: int) -> list[tuple[str, str]]:
    models = ", ".join(map(str, timeline["model"].dropna().unique()))
    with_faces = f" ({frames['has_face'].mean():.0%} with faces)" if len(frames) else ""
    return [
        ("Length", charts.clock(float((frames["end_s"] - frames["time_s"]).sum()))),
        ("Frames", f"{len(frames):,}{with_faces}"),
        ("Faces", f"{int(timeline['face'].notna().sum()):,}"),
        ("Tracks", f"{tracks:,}"),
        ("Shots", f"{timeline['shot'].nunique():,}"),
        ("Model", printable(models) or "–"),
    ]


def _name(people: People, person: int) -> str:
    return printable(title_of(people, person))


def _shown(portrait: Portrait, name: str, thumbnails: dict[int, str]) -> Shown:
    return Shown(
        name=name,
        portrait=portrait,
        picture=thumbnails.get(portrait.track, ""),
        lane=charts.lane(portrait.lane),
        areas=charts.stacked_areas(portrait.course),
    )


def _empty(stretches: list[tuple[float, float]], start_s: float, end_s: float) -> list[Bar]:
    bars = []
    for since, until in stretches:
        edges = charts.marks([since, until], start_s, end_s)
        if len(edges) == 2:
            title = f"no face, {charts.clock(since)}–{charts.clock(until)}"
            bars.append(Bar(edges[0], round(edges[1] - edges[0], 1), "", title))
    return bars


def _with_pictures(peaks: list[Episode], moments: pa.Table) -> list[tuple[Episode, str]]:
    """Return each episode with the picture of its person next to its peak, empty where it has none."""
    pictured = moments.filter(pc.greater(pc.binary_length(moments["aligned"]), 0))
    tracks, times = (pictured[name].to_numpy() for name in ("track", "time_s"))
    found = []
    for one in peaks:
        rows = np.flatnonzero((tracks == one.track) & (times >= one.start_s) & (times <= one.end_s))
        nearest = rows[np.argmin(np.abs(times[rows] - one.peak_s))] if len(rows) else None
        found.append((one, "" if nearest is None else _uri(pictured["aligned"][int(nearest)].as_py())))
    return found


def _uri(picture: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
