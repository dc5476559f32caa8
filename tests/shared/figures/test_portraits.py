import numpy as np
import pandas as pd
import pytest

from services.recorder.timeline import build_timeline
from shared.figures.episodes import Episode, read_faces
from shared.figures.portraits import course, portraits, shares, stretches, strongest, transitions
from shared.messages import Reading
from tests.services.recorder.makers import HAPPY, SAD, frames, place, reading


def episode(
    emotion: str, start_s: float, length_s: float = 1.0, *, track: int = 0, peak: float = 0.9
) -> Episode:
    return Episode(track, emotion, start_s, start_s + length_s, peak, peak, start_s)


def faces_of(times: list[float], readings: list[Reading]) -> pd.DataFrame:
    return read_faces(build_timeline(frames(times), readings))


def test_shares_are_of_time_not_of_frames() -> None:
    rows = faces_of([0.0, 0.1, 0.4], [reading(place(0), HAPPY), reading(place(1), SAD)])
    assert shares(rows)["happy"] == pytest.approx(0.25)
    assert shares(rows)["sad"] == pytest.approx(0.75)
    assert sum(shares(rows).values()) == pytest.approx(1)


def test_the_track_seen_longest_comes_first() -> None:
    found = [
        reading(place(0, 0, track=0), HAPPY),
        reading(place(0, 1, track=1), SAD),
        reading(place(2, 0, track=1), SAD),
    ]
    first, second = portraits(faces_of([0.0, 0.1, 0.2, 0.3], found), 0.0, 0.4)
    assert (first.track, first.start_s) == (1, 0.0)
    assert first.end_s == pytest.approx(0.3)
    assert first.seen_s == pytest.approx(0.2)
    assert second.track == 0
    assert second.seen_s == pytest.approx(0.1)
    assert second.shares["happy"] == 1


def test_a_course_is_the_mean_of_each_step() -> None:
    rows = faces_of([0.0, 0.1, 0.2, 0.9], [reading(place(0), HAPPY), reading(place(1), SAD)])
    means = course(rows, 0.0, 1.0, bins=5).probabilities
    assert means.shape == (5, 7)
    assert means[0] == pytest.approx((np.array(HAPPY) + np.array(SAD)) / 2)
    assert np.isnan(means[1:]).all()


def test_a_picture_has_a_course_too() -> None:
    (one,) = portraits(faces_of([0.0], [reading(place(0), HAPPY)]), 0.0, 0.0)
    assert one.course.probabilities == pytest.approx(np.array([HAPPY]))
    assert one.shares["happy"] == 1


def test_the_strongest_moments() -> None:
    episodes = [
        episode("happy", 9, peak=0.8),
        episode("neutral", 1, peak=1.0),
        episode("fear", 2, 0.1, peak=0.99),
        *(episode("sad", start, peak=0.9) for start in (3, 5, 7)),
        episode("sad", 4, track=1, peak=0.7),
    ]
    assert [(one.emotion, one.peak_s) for one in strongest(episodes)] == [
        ("sad", 3),
        ("sad", 4),
        ("sad", 5),
        ("happy", 9),
    ]
    assert [one.emotion for one in strongest(episodes, count=1)] == ["sad"]


def test_transitions_are_counted_per_track_and_flickers_passed_over() -> None:
    episodes = [
        episode("happy", 0),
        episode("sad", 0, track=1),
        episode("fear", 1, 0.1),
        episode("happy", 1.1),
        episode("sad", 3),
        episode("happy", 4),
        episode("sad", 5),
    ]
    assert transitions(episodes) == [("happy", "sad", 2), ("sad", "happy", 1)]


def test_stretches_without_a_face() -> None:
    times = pd.DataFrame(
        {
            "time_s": [0.0, 1.0, 2.0, 3.0, 4.0],
            "end_s": [1.0, 2.0, 3.0, 4.0, 5.5],
            "has_face": [False, True, False, False, False],
        }
    )
    assert stretches(times) == [(0.0, 1.0), (2.0, 5.5)]
    assert stretches(times.assign(has_face=True)) == []
    assert stretches(times.iloc[:0]) == []
