import pandas as pd
import pytest

from services.recorder.timeline import build_timeline
from shared.figures.episodes import find_episodes, read_faces
from shared.messages import Frame, Reading
from tests.services.recorder.makers import HAPPY, SAD, frames, place, reading


def faces_of(times: list[float], readings: list[Reading]) -> pd.DataFrame:
    return read_faces(build_timeline(frames(times), readings))


def test_an_episode_ends_when_the_next_frame_comes_not_with_its_own() -> None:
    times = [0.0, 0.1, 0.3, 0.6]
    found = [reading(place(0), HAPPY), reading(place(1), HAPPY), reading(place(2), SAD)]
    happy, sad = find_episodes(faces_of(times, found))
    assert (happy.emotion, happy.start_s, happy.end_s) == ("happy", 0.0, 0.3)
    assert (sad.emotion, sad.start_s, sad.end_s) == ("sad", 0.3, 0.6)


def test_the_last_frame_is_shown_as_long_as_the_others_usually_are() -> None:
    (one,) = find_episodes(faces_of([0.0, 0.1, 0.2, 0.4], [reading(place(3), HAPPY)]))
    assert one.start_s == 0.4
    assert one.end_s == pytest.approx(0.5)


def test_confidence_is_the_mean_and_the_peak_its_highest() -> None:
    surer = [0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.0]
    found = [reading(place(0), HAPPY), reading(place(1), surer), reading(place(2), HAPPY)]
    (one,) = find_episodes(faces_of([0.0, 0.04, 0.08], found))
    assert one.confidence == pytest.approx((0.6 + 0.9 + 0.6) / 3)
    assert one.peak == pytest.approx(0.9)
    assert one.peak_s == 0.04


def test_tracks_are_told_apart_and_come_in_the_order_of_their_start() -> None:
    found = [
        reading(place(0, 0, track=5), HAPPY),
        reading(place(1, 0, track=5), HAPPY),
        reading(place(1, 1, track=2), HAPPY),
    ]
    both = find_episodes(faces_of([0.0, 0.04], found))
    assert [(one.track, one.start_s) for one in both] == [(5, 0.0), (2, 0.04)]


@pytest.mark.parametrize(("missed", "count"), [(5, 1), (6, 2)])
def test_a_face_that_is_missed_for_half_a_second_is_bridged(missed: int, count: int) -> None:
    times = [index / 10 for index in range(missed + 2)]
    found = [reading(place(0), HAPPY), reading(place(missed + 1), HAPPY)]
    episodes = find_episodes(faces_of(times, found))
    assert len(episodes) == count
    assert episodes[-1].end_s == pytest.approx((missed + 2) / 10)


def test_a_face_that_was_given_up_is_in_no_episode() -> None:
    assert find_episodes(faces_of([0.0, 0.04], [reading(place(0), None)])) == []


def test_a_picture_has_an_episode_without_length() -> None:
    only = [Frame(0, 0.0, 0, 1)]
    (one,) = find_episodes(read_faces(build_timeline(only, [reading(place(0), HAPPY)])))
    assert (one.track, one.emotion, one.start_s, one.end_s, one.peak_s) == (0, "happy", 0.0, 0.0, 0.0)
    assert one.length_s == 0
