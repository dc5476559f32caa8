import logging
import os
import shutil
from pathlib import Path

import pytest

from services.dashboard.library import shelf
from services.dashboard.library.portraits import portraits_of
from services.dashboard.library.shelf import Library, Shelf, find, of_content, refresh, surest
from shared.moments import MOMENTS
from tests.services.dashboard.library.made import Seen, finish_clip, sharp_face

CONTENT = "12-00000000000000000000000000000000"


def names(library: Library) -> list[str]:
    return [faces.clip for faces in library]


def finish_at(results: Path, clip: str, faces: list[Seen], second: int) -> None:
    """Finish a clip at a time of its own: file systems tell times less finely than tests run."""
    os.utime(finish_clip(results, clip, faces) / MOMENTS, (second, second))


def test_clips_come_and_go_and_only_what_changed_is_read(tmp_path: Path) -> None:
    assert names(refresh(Library(), tmp_path / "absent")) == []
    finish_at(tmp_path, "one", [Seen(), Seen()], 1)
    first = refresh(Library(), tmp_path)
    finish_at(tmp_path, "two", [Seen()], 2)
    second = refresh(first, tmp_path)
    assert names(second) == ["two", "one"]
    assert len(second) == 3
    assert list(second)[1] is next(iter(first))
    shutil.rmtree(tmp_path / "one")
    assert names(refresh(second, tmp_path)) == ["two"]


def test_when_there_is_no_room_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for second, clip in enumerate(["old", "middle", "new"]):
        finish_at(tmp_path, clip, [Seen(), Seen()], second)
    monkeypatch.setattr(shelf, "MOST", 4)
    library = refresh(Library(), tmp_path)
    assert names(library) == ["new", "middle"]
    assert library.left_out == 1


def test_a_damaged_folder_is_left_out_and_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    finish_clip(tmp_path, "fine", [Seen()])
    (finish_clip(tmp_path, "torn", [Seen()]) / MOMENTS).write_bytes(b"PAR1")
    (finish_clip(tmp_path, "bare", [Seen()]) / "summary.json").write_text("[]")
    (finish_clip(tmp_path, "half", [Seen()]) / "timeline.parquet").unlink()
    with caplog.at_level(logging.WARNING):
        library = refresh(Library(), tmp_path)
        assert names(refresh(library, tmp_path)) == ["fine"]
    assert len(caplog.records) == 3


def test_the_folder_is_looked_at_once_a_second(tmp_path: Path) -> None:
    now_s = 0.0
    held = Shelf(tmp_path, clock=lambda: now_s)
    assert len(held.library()) == 0
    finish_clip(tmp_path, "one", [Seen()])
    now_s = 0.5
    assert len(held.library()) == 0
    now_s = 1.0
    assert len(held.library()) == 1


def test_faces_are_found_by_place_and_by_content(tmp_path: Path) -> None:
    finish_clip(tmp_path, "one", [Seen(track=1), Seen(track=2)], content=CONTENT)
    library = refresh(Library(), tmp_path)
    found = find(library, "one", 2, 1)
    assert found is not None
    assert found[1] == 1
    for clip, track, frame in (("other", 2, 1), ("one", 1, 1), ("one", 2, 7)):
        assert find(library, clip, track, frame) is None
    assert [place for _, place in of_content(library, CONTENT)] == [0, 1]
    assert of_content(library, "") == []


def test_the_surest_face_of_each_track_stands_for_it(tmp_path: Path) -> None:
    finish_clip(tmp_path, "one", [Seen(confidence=0.5), Seen(confidence=0.8), Seen(confidence=0.4, track=7)])
    library = refresh(Library(), tmp_path)
    assert [place for _, place in surest(library, 9)] == [1, 2]
    assert len(surest(library, 1)) == 1


def test_pictures_come_from_the_rows_of_their_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.recorder.files.ROW_GROUP", 2)
    finish_clip(tmp_path, "one", [Seen(), Seen(picture=b""), Seen(), Seen(), Seen()])
    [faces] = refresh(Library(), tmp_path)
    assert portraits_of([(faces, 4), (faces, 1), (faces, 0)]) == [sharp_face(4), b"", sharp_face(0)]
    shutil.rmtree(faces.folder)
    assert portraits_of([(faces, 0)]) == [b""]
