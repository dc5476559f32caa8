"""`reelmood export` writes a finished clip in each format, and overwrites nothing unasked."""

import json
from pathlib import Path

import pytest
import webvtt

from shared.emotions import EMOTIONS
from shared.people import PEOPLE, Note, People, save
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood
from tests.services.recorder.finished import NAME, pictures_of, summary_of, write_finished
from tests.services.recorder.makers import HAPPY, MODEL


@pytest.fixture
def folder(settings: Settings) -> Path:
    return write_finished(settings.results / "ann")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.mark.parametrize("wanted", ["ann", "0123456789abcdef", NAME, Path(NAME).name, Path(NAME).stem])
def test_the_tables_as_they_are(reelmood: Reelmood, folder: Path, here: Path, wanted: str) -> None:
    for kind in ("csv", "parquet"):
        done = reelmood("export", wanted, "--format", kind)
        assert (done.code, done.out, done.err) == (0, f"ann.{kind}\n", "")
        assert (here / f"ann.{kind}").read_bytes() == (folder / f"timeline.{kind}").read_bytes()


def test_a_folder_by_its_path(reelmood: Reelmood, tmp_path: Path, here: Path) -> None:
    elsewhere = write_finished(tmp_path / "out" / "clip")
    assert reelmood("export", elsewhere, "--format", "html", "--out", here / "report.html").code == 0
    assert "Tom &amp; &lt;b&gt;Ann" in (here / "report.html").read_text()


def test_json_holds_summary_and_timeline(reelmood: Reelmood, folder: Path, here: Path) -> None:
    assert reelmood("export", "ann", "--format", "json").code == 0
    known = json.loads((here / "ann.json").read_text())
    assert known["summary"] == summary_of(folder)
    assert len(known["timeline"]) == 40
    place = {"frame": 0, "time_s": 0.0, "shot": 0, "face": 0, "track": 0}
    box = {"box_x": 20, "box_y": 30, "box_w": 40, "box_h": 40}
    shown = {"emotion": "happy", "confidence": 0.6, "aligned": True, "model": MODEL}
    probabilities = {f"p_{emotion}": share for emotion, share in zip(EMOTIONS, HAPPY, strict=True)}
    assert known["timeline"][0] == place | box | shown | probabilities | {
        "person": "track 0",
        "hidden": False,
    }
    assert known["timeline"][20]["emotion"] is None


def test_captions(reelmood: Reelmood, folder: Path, here: Path) -> None:
    assert reelmood("export", "ann", "--format", "vtt").code == 0
    cues = webvtt.read(str(here / "ann.vtt"), strict=True).captions
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        ("00:00:00.000", "00:00:00.400", "Track 0: happy 60%"),
        ("00:00:00.400", "00:00:00.800", "Track 0: sad 40%"),
        ("00:00:01.200", "00:00:01.560", "Track 1: happy 60%"),
    ]


def test_what_people_said_reaches_each_format(reelmood: Reelmood, folder: Path, here: Path) -> None:
    save(folder, People(names={0: "Mia"}, hidden=frozenset({1}), notes=(Note(0.4, "a smile"),)))
    for kind in ("json", "vtt", "html", "thumbnails"):
        assert reelmood("export", "ann", "--format", kind).code == 0
    known = json.loads((here / "ann.json").read_text())
    assert known["notes"] == [{"time_s": 0.4, "text": "a smile"}]
    assert [known["timeline"][frame]["person"] for frame in (0, 20, 30)] == ["Mia", None, "track 1"]
    assert [known["timeline"][frame]["hidden"] for frame in (0, 20, 30)] == [False, False, True]
    cues = webvtt.read(str(here / "ann.vtt"), strict=True).captions
    assert [cue.text for cue in cues] == ["Mia: happy 60%", "Mia: sad 40%"]
    assert "Mia" in (here / "ann.html").read_text()
    assert [path.name for path in (here / "ann-thumbnails").iterdir()] == ["track-0000.jpg"]


@pytest.mark.parametrize("kind", ["json", "vtt", "html", "thumbnails"])
def test_what_people_said_and_cannot_be_read_ends_in_one_line(
    reelmood: Reelmood, folder: Path, here: Path, kind: str
) -> None:
    (folder / PEOPLE).write_text("{")
    refused = reelmood("export", "ann", "--format", kind)
    assert (refused.code, refused.err.count("\n"), PEOPLE in refused.err) == (2, 1, True)
    assert list(here.iterdir()) == []


def test_thumbnails_are_a_folder(reelmood: Reelmood, folder: Path, here: Path) -> None:
    assert reelmood("export", "ann", "--format", "thumbnails").out == "ann-thumbnails\n"
    written = {path.name: path.read_bytes() for path in (here / "ann-thumbnails").iterdir()}
    known = pictures_of(folder)
    assert written == {"track-0000.jpg": known[0], "track-0001.jpg": known[30]}


@pytest.mark.parametrize("kind", ["csv", "html", "thumbnails"])
def test_nothing_is_overwritten_unasked(reelmood: Reelmood, folder: Path, here: Path, kind: str) -> None:
    target = here / "mine"
    if kind == "thumbnails":
        target.mkdir()
    else:
        target.write_text("mine")
    refused = reelmood("export", "ann", "--format", kind, "--out", target)
    assert (refused.code, refused.err) == (2, f"reelmood: {target} exists already; --force replaces it\n")
    assert target.is_dir() or target.read_text() == "mine"
    assert reelmood("export", "ann", "--format", kind, "--out", target, "--force").code == 0
    assert any(target.iterdir()) if target.is_dir() else target.read_text() != "mine"
    assert [path.name for path in here.iterdir()] == ["mine"]


def test_into_a_folder(reelmood: Reelmood, folder: Path, here: Path) -> None:
    assert reelmood("export", "ann", "--format", "vtt", "--out", here).out == f"{here / 'ann.vtt'}\n"


def test_blur_lets_no_face_out(
    reelmood: Reelmood, folder: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELMOOD_BLUR", "1")
    refused = reelmood("export", "ann", "--format", "thumbnails")
    assert (refused.code, "REELMOOD_BLUR" in refused.err) == (2, True)
    assert reelmood("export", "ann", "--format", "html").code == 0
    assert "data:image" not in (here / "ann.html").read_text()


def test_results_without_faces(reelmood: Reelmood, settings: Settings, here: Path) -> None:
    write_finished(settings.results / "blurred", pictures=False)
    refused = reelmood("export", "blurred", "--format", "thumbnails")
    assert (refused.code, "hold no pictures of faces" in refused.err) == (2, True)
    assert not (here / "blurred-thumbnails").exists()
    assert reelmood("export", "blurred", "--format", "html").code == 0


def test_a_clip_that_is_not_there(reelmood: Reelmood, folder: Path) -> None:
    for wanted in ("bob", "", "/etc", "\x1b[31mbob"):
        refused = reelmood("export", wanted, "--format", "csv")
        assert (refused.code, "no finished clip is called" in refused.err) == (2, True)
        assert "\x1b" not in refused.err


def test_a_name_of_two_clips(reelmood: Reelmood, folder: Path, settings: Settings) -> None:
    other = write_finished(settings.results / "ann-2", id="fedcba9876543210")
    refused = reelmood("export", NAME, "--format", "csv")
    assert refused.code == 2
    assert f"2 finished clips are called {NAME}" in refused.err
    assert str(other) in refused.err
    assert reelmood("export", "ann", "--format", "csv").code == 0


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("timeline.csv", "csv"),
        ("timeline.parquet", "vtt"),
        ("moments.parquet", "thumbnails"),
        ("moments.parquet", "html"),
    ],
)
def test_damaged_results_end_in_one_line(
    reelmood: Reelmood, folder: Path, here: Path, file: str, kind: str
) -> None:
    if kind == "csv":
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(b"PAR1 no more")
    refused = reelmood("export", "ann", "--format", kind)
    assert refused.code == 2
    assert refused.err.startswith("reelmood: ")
    assert refused.err.count("\n") == 1
    assert list(here.iterdir()) == []


def test_a_place_that_cannot_be_written(reelmood: Reelmood, folder: Path, here: Path) -> None:
    target = here / "nowhere" / "ann.csv"
    refused = reelmood("export", "ann", "--format", "csv", "--out", target)
    assert refused.code == 2
    assert refused.err == f"reelmood: {target} cannot be written: No such file or directory\n"
