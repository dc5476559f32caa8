import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from services.retrieval.gallery import nearest
from services.retrieval.own import OwnFaces, refresh
from tests.services.retrieval.makers import MODEL, OTHER, finish_clip, unit

ASKED = np.array([1, 0.5, 0], np.float32)


def sources(own: OwnFaces, clip: str = "asking") -> list[str]:
    if own.gallery is None:
        return []
    return [one.source for one in nearest(own.gallery, ASKED, 9, clip)]


def test_nothing_before_the_first_clip(tmp_path: Path) -> None:
    assert refresh(OwnFaces(MODEL), tmp_path / "absent").gallery is None


def test_clips_are_added_as_they_finish(tmp_path: Path) -> None:
    finish_clip(tmp_path, "one", "id-1", [("happy", unit(1, 0, 0)), ("sad", unit(0, 0, 1))])
    own = refresh(OwnFaces(MODEL), tmp_path)
    assert sources(own) == ["one.mp4", "one.mp4"]
    finish_clip(tmp_path, "two", "id-2", [("happy", unit(1, 0.5, 0))])
    own = refresh(own, tmp_path)
    assert sources(own) == ["two.mp4", "one.mp4", "one.mp4"]
    assert own.gallery is not None
    best = nearest(own.gallery, ASKED, 1, "asking")[0]
    assert (best.label, best.frame, best.time_s) == ("happy", 0, 0.0)


def test_the_clip_that_asks_is_left_out(tmp_path: Path) -> None:
    finish_clip(tmp_path, "one", "id-1", [("happy", unit(1, 0, 0))])
    finish_clip(tmp_path, "two", "id-2", [("happy", unit(0, 1, 0))])
    assert sources(refresh(OwnFaces(MODEL), tmp_path), "id-1") == ["two.mp4"]


def test_faces_that_another_model_read_are_never_there(tmp_path: Path) -> None:
    finish_clip(tmp_path, "one", "id-1", [("happy", unit(1, 0, 0))], model=OTHER)
    assert refresh(OwnFaces(MODEL), tmp_path).gallery is None
    assert sources(refresh(OwnFaces(OTHER), tmp_path)) == ["one.mp4"]


def test_a_removed_or_replaced_folder_is_forgotten(tmp_path: Path) -> None:
    finish_clip(tmp_path, "one", "id-1", [("happy", unit(1, 0, 0))])
    two = finish_clip(tmp_path, "two", "id-2", [("happy", unit(0, 1, 0))])
    own = refresh(OwnFaces(MODEL), tmp_path)
    shutil.rmtree(two)
    own = refresh(own, tmp_path)
    assert sources(own) == ["one.mp4"]
    shutil.rmtree(tmp_path / "one")
    finish_clip(tmp_path, "one", "id-1", [("sad", unit(1, 0, 0)), ("sad", unit(1, 1, 0))])
    own = refresh(own, tmp_path)
    assert own.gallery is not None
    assert [face.label for face in own.gallery.faces] == ["sad", "sad"]


def test_folders_in_the_making_are_not_read(tmp_path: Path) -> None:
    finish_clip(tmp_path, ".one.partial", "id-1", [("happy", unit(1, 0, 0))])
    assert refresh(OwnFaces(MODEL), tmp_path).gallery is None


def test_a_damaged_folder_is_left_out_and_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    finish_clip(tmp_path, "fine", "id-1", [("happy", unit(1, 0, 0))])
    (finish_clip(tmp_path, "torn", "id-2", [("happy", unit(1, 0, 0))]) / "moments.parquet").write_bytes(
        b"PAR1"
    )
    (finish_clip(tmp_path, "bare", "id-3", [("happy", unit(1, 0, 0))]) / "summary.json").write_text("[]")
    finish_clip(tmp_path, "wide", "id-4", [("happy", unit(1, 0, 0, 0))])
    finish_clip(tmp_path, "zero", "id-5", [("happy", b"")])
    with caplog.at_level(logging.WARNING):
        own = refresh(OwnFaces(MODEL), tmp_path)
        assert sources(refresh(own, tmp_path)) == ["fine.mp4"]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 4
    assert {name for name in ("torn", "bare", "wide", "zero") if any(name in line for line in told)} == {
        "torn",
        "bare",
        "wide",
        "zero",
    }


def test_a_table_of_absurd_length_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish_clip(tmp_path, "long", "c1", [("happy", unit(1, 0))] * 3)
    finish_clip(tmp_path, "short", "c2", [("sad", unit(0, 1))])
    monkeypatch.setattr("services.retrieval.own._MOST", 2)
    gallery = refresh(OwnFaces(MODEL), tmp_path).gallery
    assert gallery is not None
    assert list(gallery.clips) == ["c2"]
