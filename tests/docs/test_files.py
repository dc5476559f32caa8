"""docs/files.md names every file, column and key that there is, and none that there isn't."""

import re
from pathlib import Path

import pytest

from services.recorder.annotate import PICTURE, VIDEO
from services.recorder.export import FILES
from services.recorder.moments import SCHEMA
from services.recorder.summary import build_summary
from services.recorder.timeline import build_timeline
from shared.captions import CAPTIONS
from shared.people import PEOPLE, People
from shared.timeline import COLUMNS
from tests.services.recorder.finished import write_finished
from tests.services.recorder.makers import clip

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[str]:
    """Return the names in the first column of the table under a heading, in their order."""
    section = PAGE.split(f"# {heading}\n", 1)[1].split("\n#", 1)[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("timeline.parquet, timeline.csv", list(COLUMNS)),
        ("moments.parquet", list(SCHEMA.names)),
        ("summary.json", list(build_summary(clip(), build_timeline([], []), []))),
        ("people.json", list(People.__struct_fields__)),
        ("Other formats", [*FILES, "thumbnails"]),
    ],
)
def test_every_name_is_explained(heading: str, names: list[str]) -> None:
    assert sorted(first_cells(heading)) == sorted(names)


def test_every_file_is_listed(tmp_path: Path) -> None:
    written = {path.name for path in write_finished(tmp_path / "clip").iterdir()}
    listed = {name for name in first_cells("Files") if "/" not in name}
    assert listed == written | {CAPTIONS, VIDEO, PICTURE, PEOPLE}
