import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recorder.files import owner_of, publish, published, safe_stem, staged_folder
from shared.people import People, load, rename, save


def stage_and_publish(results: Path, stem: str, clip_id: str, text: str = "") -> Path:
    with staged_folder(results, stem, clip_id) as staged:
        (staged / "summary.json").write_text(json.dumps({"id": clip_id, "text": text}))
        return publish(staged, results, stem, clip_id)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("clip.mp4", "clip"),
        ("films/1999/clip.tar.mp4", "clip.tar"),
        ("..\\..\\evil.mp4", "evil"),
        ("../../etc/passwd", "passwd"),
        (".hidden.mp4", "hidden"),
        ("..", "clip"),
        ("", "clip"),
        ("a\nb\x00c.mp4", "a_b_c"),
        ("Ärger 🎬.mkv", "Ärger 🎬"),
        ("con\ud800.mp4", "con_"),
    ],
)
def test_stems(name: str, stem: str) -> None:
    assert safe_stem(name) == stem


@given(st.text(st.characters(), max_size=300))
def test_any_name_becomes_one_plain_folder_name(name: str) -> None:
    stem = safe_stem(name)
    assert stem
    assert not stem.startswith(".")
    assert not any(letter in "/\\" or ord(letter) < 32 for letter in stem)
    assert len(stem.encode()) <= 150
    assert (Path("results") / stem).parent == Path("results")


def test_publishing_leaves_the_folder_alone_in_results(tmp_path: Path) -> None:
    assert stage_and_publish(tmp_path, "clip", "aaaaaaaa11") == tmp_path / "clip"
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]
    assert published(tmp_path, "clip", "aaaaaaaa11") == tmp_path / "clip"


def test_another_clip_of_the_same_name_goes_beside_it(tmp_path: Path) -> None:
    stage_and_publish(tmp_path, "clip", "aaaaaaaa11")
    assert stage_and_publish(tmp_path, "clip", "bbbbbbbb22") == tmp_path / "clip-bbbbbbbb"
    assert stage_and_publish(tmp_path, "clip", "bbbbbbbb33") == tmp_path / "clip-bbbbbbbb33"
    assert owner_of(tmp_path / "clip") == "aaaaaaaa11"
    assert published(tmp_path, "clip", "bbbbbbbb22") == tmp_path / "clip-bbbbbbbb"


def test_the_same_clip_replaces_its_own_folder(tmp_path: Path) -> None:
    stage_and_publish(tmp_path, "clip", "aaaaaaaa11", "old")
    place = stage_and_publish(tmp_path, "clip", "aaaaaaaa11", "new")
    assert json.loads((place / "summary.json").read_text())["text"] == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_what_people_said_about_a_clip_outlives_a_second_writing(tmp_path: Path) -> None:
    place = stage_and_publish(tmp_path, "clip", "aaaaaaaa11", "old")
    said = rename(People(), 3, "Mia")
    save(place, said)
    assert load(stage_and_publish(tmp_path, "clip", "aaaaaaaa11", "new")) == said


def test_what_a_person_put_there_stays(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "notes.txt").write_text("mine")
    assert stage_and_publish(tmp_path, "clip", "aaaaaaaa11") == tmp_path / "clip-aaaaaaaa"
    assert (tmp_path / "clip" / "notes.txt").read_text() == "mine"


def test_a_file_of_that_name_stays(tmp_path: Path) -> None:
    (tmp_path / "clip").write_text("mine")
    assert stage_and_publish(tmp_path, "clip", "aaaaaaaa11") == tmp_path / "clip-aaaaaaaa"


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), staged_folder(tmp_path, "clip", "aaaaaaaa11"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    killed = staged_folder(tmp_path, "clip", "aaaaaaaa11")
    (killed.__enter__() / "half.parquet").write_text("half")
    with staged_folder(tmp_path, "clip", "aaaaaaaa11") as staged:
        assert list(staged.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": 3}', "\x00"])
def test_a_damaged_summary_has_no_owner(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.json").write_text(text)
    assert owner_of(tmp_path) is None
