from pathlib import Path

import pytest

from services.dashboard.archive import load
from services.dashboard.clip.moments import best_faces, faces_at
from services.dashboard.readers import follow
from services.dashboard.view import View
from services.recorder.thumbnails import THUMBNAILS, write_thumbnails
from shared.queues.broker import Broker
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip, write_results

SHOWN = {0: (0, 10), 1: (1,), 11: (11,)}


@pytest.fixture
def live(broker: Broker) -> View:
    """Two faces in two shots of four seconds; every twelfth frame is explained."""
    start_clip(broker, made_clip(), 1.0)
    commit_frames(broker, made_clip(), range(200), faces=2, last=True)
    answer_all(broker)
    return follow(broker, View("clip-1"), budget_s=60)


@pytest.fixture
def folder(live: View, broker: Broker, tmp_path: Path) -> Path:
    return write_results(broker, made_clip(), tmp_path / "results")


def test_each_person_has_the_face_nearest_to_the_cursor(folder: Path) -> None:
    found = faces_at(load("clip-1", folder), 1.0, SHOWN)
    assert [moment.track for moment, _ in found] == [0, 1]
    assert [moment.frame for moment, _ in found] == [24, 24]
    assert all(answer is not None and answer.nearest for _, answer in found)


def test_a_merged_person_is_one_face(folder: Path) -> None:
    assert [moment.track for moment, _ in faces_at(load("clip-1", folder), 5.0, SHOWN)] == [10, 11]
    assert [moment.track for moment, _ in faces_at(load("clip-1", folder), 5.0, {0: (0, 10)})] == [10]


def test_faces_far_away_are_none(folder: Path) -> None:
    assert faces_at(load("clip-1", folder), 300.0, SHOWN) == []


def test_of_a_running_clip_the_latest_are_shown(live: View) -> None:
    assert [moment.track for moment, _ in faces_at(live, None, SHOWN)] == [10, 11, 1]
    assert [moment.track for moment, _ in faces_at(live, live.moments[1].time_s, {1: (1,)})] == [1]
    assert faces_at(live, 300.0, SHOWN) == []


def test_the_best_face_of_a_running_clip_is_the_surest(live: View) -> None:
    faces = best_faces(live, SHOWN, None)
    surest = max((live.best[track] for track in (0, 10)), key=lambda one: max(one.probabilities))
    assert faces[0] == surest.explanation.aligned
    assert set(faces) == set(SHOWN)


def test_the_best_faces_of_a_finished_clip_are_its_thumbnails(folder: Path) -> None:
    view = load("clip-1", folder)
    write_thumbnails(folder / THUMBNAILS, {10: b"ten", 1: b"one"})
    assert best_faces(view, SHOWN, folder) == {0: b"ten", 1: b"one"}


def test_without_thumbnails_the_surest_are_shown(folder: Path) -> None:
    assert set(best_faces(load("clip-1", folder), SHOWN, folder)) == set(SHOWN)
