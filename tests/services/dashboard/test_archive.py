import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from services.dashboard.archive import archived_clips, load, read_face
from services.dashboard.readers import follow
from services.dashboard.view import View, series_of
from shared.errors import ReelmoodError
from shared.queues.broker import Broker
from shared.queues.clips import State
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip, write_results


@pytest.fixture
def folder(broker: Broker, tmp_path: Path) -> Path:
    """The files that the recorder writes of a clip."""
    clip = made_clip(frames=200)
    start_clip(broker, clip, 1.0)
    commit_frames(broker, clip, range(200), faces=2, last=True)
    answer_all(broker)
    return write_results(broker, clip, tmp_path / "results")


def test_files_show_the_same_as_the_broker(broker: Broker, folder: Path) -> None:
    live, filed = follow(broker, View("clip-1"), budget_s=60), load("clip-1", folder)
    (live_s, live_shares), (filed_s, filed_shares) = (series_of(view, None) for view in (live, filed))
    assert np.array_equal(live_s, filed_s)
    assert np.allclose(live_shares, filed_shares, atol=1e-6)
    assert live.shots == filed.shots
    assert (live.last_frame, live.last_s) == (filed.last_frame, filed.last_s)
    assert filed.archived


def test_explained_faces_are_read_one_by_one(broker: Broker, folder: Path) -> None:
    live, explained = follow(broker, View("clip-1"), budget_s=60), load("clip-1", folder).explained
    assert explained is not None
    assert list(explained.time_s) == sorted(explained.time_s)
    for track, moment in live.moments.items():
        index = int(np.flatnonzero(explained.track == track)[-1])
        found, answer = read_face(explained, index)
        assert (found.track, found.shot, found.frame) == (track, moment.shot, moment.frame)
        assert found.explanation == moment.explanation
        assert found.probabilities == pytest.approx(moment.probabilities, abs=1e-6)
        assert answer == live.answers[track]


def test_faces_lie_in_several_row_groups(folder: Path) -> None:
    path = folder / "moments.parquet"
    table = pq.read_table(path)
    pq.write_table(table, path, row_group_size=3)
    explained = load("clip-1", folder).explained
    assert explained is not None
    for index, row in enumerate(explained.row):
        assert read_face(explained, index)[0].explanation.cam == table["cam"][int(row)].as_py()


def test_faces_that_have_gone_are_one_line(folder: Path) -> None:
    explained = load("clip-1", folder).explained
    assert explained is not None
    (folder / "moments.parquet").unlink()
    with pytest.raises(ReelmoodError, match=r"moments\.parquet cannot be read"):
        read_face(explained, 0)


def test_a_clip_without_moments_has_a_timeline(folder: Path) -> None:
    (folder / "moments.parquet").unlink()
    view = load("clip-1", folder)
    assert len(view.time_s) > 0
    assert view.explained is None


@pytest.mark.parametrize("name", ["timeline.parquet", "moments.parquet"])
def test_damaged_files_are_reported_in_one_line(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"no table")
    with pytest.raises(ReelmoodError) as caught:
        load("clip-1", folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_are_reported_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReelmoodError, match="cannot be read"):
        load("clip-1", tmp_path)


def test_lists_finished_clips_and_skips_what_is_none(folder: Path) -> None:
    results = folder.parent
    (results / ".other.partial").mkdir()
    (results / ".other.partial" / "summary.json").write_text(json.dumps({"id": "hidden"}))
    for name, text in (("broken", "{"), ("foreign", "[]"), ("short", "{}")):
        (results / name).mkdir()
        (results / name / "summary.json").write_text(text)
    (clip,) = archived_clips(results)
    assert (clip.id, clip.name, clip.state) == ("clip-1", "evening/la_la.mp4", State.DONE)
    assert clip.out == str(folder)
    assert clip.frames == 200
    assert clip.faces == clip.done > 200


def test_no_results_folder_is_no_clip(tmp_path: Path) -> None:
    assert archived_clips(tmp_path / "nowhere") == []
