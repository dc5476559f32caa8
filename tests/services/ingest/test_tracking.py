"""Ids are stable within a shot, whatever order the boxes come in and wherever ingest goes on."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.progress import Progress, restore, store
from services.ingest.tracking import Tracks, advance, cut, expected
from shared.messages import Box

boxes = st.builds(Box, st.integers(0, 600), st.integers(0, 300), st.integers(1, 120), st.integers(1, 120))
scenes = st.lists(st.lists(boxes, max_size=5, unique=True), min_size=1, max_size=12)
RATE = 25


def _follow(scene: list[list[Box]], tracks: Tracks, first: int = 0) -> tuple[Tracks, list[list[int]]]:
    ids = []
    for number, found in enumerate(scene):
        tracks, given_ids = advance(tracks, found, first + number, (first + number) / RATE)
        ids.append(given_ids)
    return tracks, ids


@given(scenes, st.randoms(use_true_random=False))
def test_the_order_of_the_boxes_does_not_matter(scene: list[list[Box]], rng: random.Random) -> None:
    shuffled = [rng.sample(found, len(found)) for found in scene]
    tracks, ids = _follow(scene, Tracks())
    other_tracks, other_ids = _follow(shuffled, Tracks())
    assert tracks == other_tracks
    for found, given_ids, other, other_given in zip(scene, ids, shuffled, other_ids, strict=True):
        assert dict(zip(found, given_ids, strict=True)) == dict(zip(other, other_given, strict=True))


@given(scenes, st.integers(0, 12))
def test_going_on_from_stored_state_gives_the_same_ids(scene: list[list[Box]], stop: int) -> None:
    _, expected = _follow(scene, Tracks())
    tracks, before = _follow(scene[:stop], Tracks())
    restored = restore(store(Progress(tracks=tracks))).tracks
    assert restored == tracks
    _, after = _follow(scene[stop:], restored, first=min(stop, len(scene)))
    assert before + after == expected


@given(scenes)
def test_a_frame_never_has_an_id_twice_and_all_are_below_the_next(scene: list[list[Box]]) -> None:
    tracks, ids = _follow(scene, Tracks())
    assert all(len(set(given_ids)) == len(given_ids) for given_ids in ids)
    assert {i for given_ids in ids for i in given_ids} == set(range(tracks.next_id))


def test_faces_that_walk_keep_their_ids() -> None:
    scene = [[Box(10 + 4 * n, 50, 60, 60), Box(500 - 4 * n, 52, 60, 60)] for n in range(40)]
    tracks, ids = _follow(scene, Tracks())
    assert ids == [[0, 1]] * 40
    assert tracks.next_id == 2


@pytest.mark.parametrize(("missing", "same"), [(1, True), (24, True), (26, False)])
def test_a_face_is_the_same_until_a_second_has_passed_without_it(missing: int, same: bool) -> None:
    face = Box(100, 100, 50, 50)
    _, ids = _follow([[face], *[[]] * missing, [face]], Tracks())
    assert (ids[0] == ids[-1]) is same


def test_slow_clips_keep_ids_from_frame_to_frame() -> None:
    tracks, first = advance(Tracks(), [Box(100, 100, 50, 50)], 0, 0.0)
    _, second = advance(tracks, [Box(104, 101, 52, 52)], 1, 5.0)
    assert first == second


def test_far_away_or_of_another_size_is_another_face() -> None:
    tracks, _ = advance(Tracks(), [Box(100, 100, 50, 50)], 0, 0.0)
    assert advance(tracks, [Box(180, 100, 50, 50)], 1, 0.04)[1] == [1]
    assert advance(tracks, [Box(70, 70, 110, 110)], 1, 0.04)[1] == [1]


def test_after_a_cut_every_id_is_new() -> None:
    face = Box(100, 100, 50, 50)
    tracks, _ = advance(Tracks(), [face], 0, 0.0)
    assert advance(cut(tracks), [face], 1, 0.04)[1] == [1]


HERE, THERE = Box(10, 10, 50, 50), Box(200, 10, 60, 60)


def test_between_two_searches_faces_are_expected_where_they_were() -> None:
    tracks = Tracks()
    searched = []
    for frame in range(12):
        wanted = expected(tracks, frame, frame / RATE, 0.2)
        assert wanted in ([], [HERE, THERE])
        searched.append(not wanted)
        tracks, _ = advance(tracks, [THERE, HERE] if frame % 2 else [HERE, THERE], frame, frame / RATE)
    assert [frame for frame, whole in enumerate(searched) if whole] == [0, 5, 10]


def test_without_an_interval_every_frame_is_searched() -> None:
    tracks, _ = advance(Tracks(), [HERE], 0, 0.0)
    assert expected(tracks, 1, 1e-9, 0) == []


def test_nothing_is_expected_where_no_face_was_or_after_a_cut() -> None:
    assert expected(Tracks(), 3, 0.12, 0.2) == []
    tracks, _ = advance(Tracks(), [HERE], 0, 0.0)
    assert expected(cut(tracks), 1, 0.04, 0.2) == []


def test_while_a_face_is_lost_every_frame_is_searched() -> None:
    tracks, _ = advance(Tracks(), [HERE, THERE], 0, 0.0)
    tracks, _ = advance(tracks, [HERE], 1, 0.04)
    assert expected(tracks, 2, 0.08, 10) == []
    for frame in range(2, 60):
        tracks, _ = advance(tracks, [HERE], frame, frame / RATE)
    assert expected(tracks, 60, 60 / RATE, 10) == [HERE]


@given(st.floats(-1e8, 1e8), st.floats(0, 1e9), st.floats(-1e8, 1e8))
def test_any_time_is_taken(before_s: float, every_s: float, time_s: float) -> None:
    tracks, _ = advance(Tracks(), [HERE], 0, before_s)
    assert expected(tracks, 1, time_s, every_s) in ([], [HERE])
