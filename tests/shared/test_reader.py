import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hatchling.builders.wheel import WheelBuilder
from pandas.testing import assert_frame_equal

import reelmood
from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.people import PEOPLE, People, save
from shared.timeline import COLUMNS
from tests.services.recorder.finished import NAME, write_finished

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the results of two clips."""
    write_finished(tmp_path / "home" / "results" / "a")
    write_finished(tmp_path / "home" / "results" / "b", id="fedcba9876543210", clip="b.mp4", emotions={})
    return tmp_path / "home"


def test_a_clip_as_a_tidy_table(home: Path) -> None:
    table = reelmood.read(home / "results" / "a")
    assert list(table.columns) == ["clip", *COLUMNS, "person", "hidden"]
    assert len(table) == 40
    assert table["emotion"].value_counts().to_dict() == {"happy": 19, "sad": 10} | dict.fromkeys(
        set(EMOTIONS) - {"happy", "sad"}, 0
    )
    assert list(table["emotion"].cat.categories) == list(EMOTIONS)
    assert (table["clip"] == "a").all()
    types = {name: str(kind) for name, kind in table.dtypes.items()}
    said = {"person": "category", "hidden": "bool"}
    assert types == {"clip": "category"} | COLUMNS | {"emotion": "category", "model": "category"} | said
    assert table.loc[20, "face":"person"].isna().all()
    given_up = table.iloc[39]
    assert (given_up["track"], given_up["box_w"]) == (1, 40)
    assert pd.isna(given_up["emotion"])


def test_parquet_and_csv_are_one_table(home: Path) -> None:
    folder = home / "results" / "a"
    parquet = reelmood.read(folder / "timeline.parquet")
    assert_frame_equal(reelmood.read(str(folder / "timeline.csv")), parquet)
    (folder / "timeline.parquet").unlink()
    assert_frame_equal(reelmood.read(folder), parquet)


def test_a_home_is_all_of_its_clips(home: Path) -> None:
    (home / "results" / ".c.partial").mkdir()
    shutil.copy(home / "results" / "a" / "timeline.csv", home / "results" / ".c.partial")
    (home / "results" / "notes.txt").touch()
    for path in (home, home / "results"):
        table = reelmood.read(path)
        assert list(table["clip"].cat.categories) == ["a", "b"]
        assert table["clip"].value_counts().to_dict() == {"a": 40, "b": 40}
        assert table["model"].dtype == "category"


def test_what_people_said_stands_beside_each_face(home: Path) -> None:
    table = reelmood.read(home / "results" / "a")
    assert table["person"].value_counts().to_dict() == {"track 0": 20, "track 1": 10}
    assert not table["hidden"].any()

    save(home / "results" / "a", People(names={1: "Mia"}, merged={0: 1}))
    save(home / "results" / "b", People(names={0: "Mia"}, hidden=frozenset({1})))
    table = reelmood.read(home)
    seen = table.groupby(["clip", "person"], observed=True)["frame"].count()
    assert seen.to_dict() == {("a", "Mia"): 30, ("b", "Mia"): 20, ("b", "track 1"): 10}
    assert table.loc[table["hidden"], "clip"].value_counts().to_dict() == {"a": 0, "b": 10}
    assert len(table[~table["hidden"]]) == 70


def test_what_people_said_and_cannot_be_read_is_told_in_one_line(home: Path) -> None:
    (home / "results" / "b" / PEOPLE).write_text("{")
    with pytest.raises(DataError, match=PEOPLE) as told:
        reelmood.read(home)
    assert "\n" not in str(told.value)


def test_summaries_are_one_row_each(home: Path) -> None:
    table = reelmood.summary(home)
    assert list(table.index) == ["a", "b"]
    assert table.loc["a", "name"] == NAME
    assert table.loc["b", "id"] == "fedcba9876543210"
    assert table["frames"].to_list() == [40, 40]
    assert table.loc["a", "share_happy"] == pytest.approx(19 / 29)
    assert table.loc["b", "share_happy":"share_surprise"].isna().all()
    assert len(reelmood.summary(home / "results" / "a" / "timeline.csv")) == 1


@pytest.mark.parametrize("name", ["timeline.csv", "timeline.parquet"])
@pytest.mark.parametrize("content", [b"", b"frame,time_s\n1,2\n", b"PAR1", b"\xff\xfe\x00"])
def test_what_is_no_timeline_is_told_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="is no timeline") as told:
        reelmood.read(tmp_path)
    assert "\n" not in str(told.value)


def test_where_there_are_no_results(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError, match="no results in"):
            reelmood.read(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"clip": "a", "emotions": []})])
def test_what_is_no_summary_is_told_in_one_line(home: Path, content: str) -> None:
    (home / "results" / "a" / "summary.json").write_text(content)
    with pytest.raises(DataError, match="is no summary"):
        reelmood.summary(home)


def test_the_import_is_light() -> None:
    heavy = "{'torch', 'streamlit', 'redis', 'cv2', 'av', 'matplotlib', 'services'} & set(sys.modules)"
    code = f"import sys, reelmood; sys.exit(str({heavy} or ''))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "\n"), done.stderr


def test_the_wheel_ships_it() -> None:
    shipped = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {"reelmood.py", "shared/reader.py", "services/recorder/report.html"} <= shipped
