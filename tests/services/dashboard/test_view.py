import random
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.dashboard.view import (
    View,
    main_tracks,
    series_of,
    tracks_of,
    with_frames,
    with_neighbours,
    with_readings,
)
from shared.messages import Frame, Reading
from tests.services.dashboard.made import neighbours_of, place_of, reading_of


def read(*places: tuple[int, int, int], explain: bool = False) -> View:
    """A view of readings at (frame, face, shot)."""
    return with_readings(View("clip"), [reading_of(place_of("clip", *place), explain) for place in places])


def test_faces_that_were_given_up_are_left_out() -> None:
    lost = Reading(
        place=place_of("clip", 3, 0, 0), model="nano", probabilities=None, aligned=False, error="x"
    )
    assert len(with_readings(View("clip"), [lost]).time_s) == 0


@given(st.randoms(use_true_random=False), st.integers(1, 30))
def test_the_order_of_arrival_does_not_matter(random_source: random.Random, cut: int) -> None:
    readings = [reading_of(place_of("clip", frame, 0, 0), frame % 5 == 0) for frame in range(31)]
    shuffled = readings.copy()
    random_source.shuffle(shuffled)
    at_once = with_readings(View("clip"), readings)
    in_parts = with_readings(with_readings(View("clip"), shuffled[:cut]), shuffled[cut:])
    (one_time_s, one), (other_time_s, other) = (series_of(view, None) for view in (at_once, in_parts))
    assert np.array_equal(one_time_s, other_time_s)
    assert np.array_equal(one, other)
    assert at_once.moments == in_parts.moments
    assert at_once.moments[0].frame == 30


def test_a_track_has_its_own_series() -> None:
    view = read((0, 0, 0), (0, 1, 0), (100, 0, 1))
    assert tracks_of(view) == [0, 1, 10]
    assert series_of(view, [1])[0].tolist() == [0.0]
    assert series_of(view, [0, 10])[0].tolist() == [0.0, 4.0]


def test_faces_of_the_same_time_are_averaged() -> None:
    view = read((0, 0, 0), (0, 1, 0))
    time_s, probabilities = series_of(view, None)
    assert time_s.tolist() == [0.0]
    assert np.allclose(probabilities[0], view.probabilities.mean(axis=0))


def test_the_main_face_of_a_shot_has_the_most_faces() -> None:
    places = [(frame, 1, 0) for frame in range(10)] + [(frame, 0, 0) for frame in range(5)] + [(50, 0, 1)]
    assert main_tracks(read(*places)) == [1, 10]


def test_of_two_faces_about_equal_the_first_stays_the_main_one() -> None:
    places = [(frame, 1, 0) for frame in range(10)] + [(frame, 0, 0) for frame in range(9)]
    assert main_tracks(read(*places)) == [0]
    assert main_tracks(View("clip")) == []


def test_shots_begin_with_their_first_frame() -> None:
    frames = [Frame(number, number / 25, number // 10, 0) for number in range(25)]
    view = with_frames(with_frames(View("clip"), frames[12:]), frames[:12])
    assert view.shots == {0: 0.0, 1: 0.4, 2: 0.8}
    assert (view.last_frame, view.last_s) == (24, 0.96)
    assert round(view.frame_s, 6) == 0.04


def test_the_latest_answer_stays() -> None:
    late, early = (neighbours_of(place_of("clip", frame, 0, 0), "happy") for frame in (24, 12))
    view = with_neighbours(with_neighbours(View("clip"), [late]), [early])
    assert view.answers[0].frame == 24
    assert view.answers[0].nearest[0].label == "happy"


def test_a_track_that_damaged_results_put_into_two_shots_is_the_main_face_of_one() -> None:
    view = read(*[(frame, 0, frame // 5) for frame in range(10)])
    mixed = replace(view, track=np.zeros(10, np.int64))
    assert main_tracks(mixed) == [0]
