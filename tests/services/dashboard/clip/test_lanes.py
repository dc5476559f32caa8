import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dashboard.clip.lanes import MOST_LANES, hidden_persons, lanes_of, tracks_of_persons
from services.dashboard.view import View
from shared.emotions import EMOTIONS
from shared.people import People


def view_of(*faces: tuple[float, int, str]) -> View:
    """A view of faces: time, track, emotion."""
    times, tracks, emotions = zip(*faces, strict=True)
    shares = np.full((len(faces), 7), 0.05, np.float32)
    shares[np.arange(len(faces)), [EMOTIONS.index(each) for each in emotions]] = 0.7
    return View(
        "clip",
        time_s=np.array(times),
        track=np.array(tracks),
        shot=np.zeros(len(faces), np.int64),
        probabilities=shares,
        last_frame=99,
        last_s=9.9,
    )


def test_a_lane_shows_when_which_emotion_is_on_top() -> None:
    happy = [(at / 10, 3, "happy") for at in range(20)]
    sad = [(at / 10, 3, "sad") for at in range(20, 30)]
    (lane,) = lanes_of(view_of(*happy, *sad), People(), 10.0)
    assert (lane.person, lane.name, lane.faces) == (3, "track 3", 30)
    (first, second) = lane.runs
    assert first == pytest.approx((0.0, 2.0, EMOTIONS.index("happy")), abs=0.11)
    assert second == pytest.approx((2.0, 3.0, EMOTIONS.index("sad")), abs=0.11)
    assert first[1] == second[0]


def test_a_face_that_was_away_leaves_a_hole() -> None:
    (lane,) = lanes_of(view_of((0.0, 0, "sad"), (0.4, 0, "sad"), (5.0, 0, "sad")), People(), 10.0)
    assert [round(start) for start, _, _ in lane.runs] == [0, 5]


def test_merged_tracks_share_a_lane_and_hidden_ones_have_none() -> None:
    view = view_of((0.0, 0, "sad"), (1.0, 1, "happy"), (2.0, 2, "fear"), (3.0, 3, "fear"))
    people = People(names={0: "Mia"}, merged={2: 0}, hidden=frozenset({1}))
    lanes = lanes_of(view, people, 10.0)
    assert [(lane.name, lane.tracks) for lane in lanes] == [("Mia", (0, 2)), ("track 3", (3,))]
    assert tracks_of_persons(view, people) == {0: (0, 2), 3: (3,)}
    assert hidden_persons(view, people) == [1]


def test_of_too_many_those_with_the_most_faces_are_drawn() -> None:
    faces = [(track / 10, track, "sad") for track in range(MOST_LANES + 5)]
    faces += [(8.0, track, "sad") for track in range(5, MOST_LANES + 5)]
    lanes = lanes_of(view_of(*faces), People(), 10.0)
    assert [lane.person for lane in lanes] == list(range(5, MOST_LANES + 5))


def test_without_a_shown_face_there_is_no_lane() -> None:
    assert lanes_of(view_of((0.0, 0, "sad")), People(hidden=frozenset({0})), 10.0) == []


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers(0, 3), st.sampled_from(EMOTIONS)), min_size=1))
def test_runs_are_in_order_and_within_the_axis(faces: list[tuple[float, int, str]]) -> None:
    for lane in lanes_of(view_of(*faces), People(), 10.0):
        edges = [edge for start, stop, _ in lane.runs for edge in (start, stop)]
        assert edges == sorted(edges)
        assert 0 <= edges[0] <= edges[-1] <= 10.2
