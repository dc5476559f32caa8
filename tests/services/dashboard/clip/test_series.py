from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.dashboard.clip.series import drawn, empty_stretches, faces_of, smooth
from services.dashboard.view import View, with_frames, with_readings
from shared.messages import Frame
from tests.services.dashboard.made import FPS, place_of, reading_of


def shares_of(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).dirichlet(np.ones(7), count).astype(np.float32)


def view_of(frames: list[int], seen: list[int], track: int = 0) -> View:
    view = with_frames(View("clip"), [Frame(number, number / FPS, 0, 1) for number in frames])
    return with_readings(
        view, [reading_of(place_of("clip", number, track, 0), explain=False) for number in seen]
    )


@given(
    st.lists(st.floats(0, 60), min_size=2, max_size=60, unique=True).map(sorted),
    st.floats(0, 5),
    st.lists(st.floats(0, 60), max_size=3),
)
def test_what_is_smoothed_still_sums_to_one(times: list[float], width: float, cuts: list[float]) -> None:
    shares = shares_of(len(times))
    smoothed = smooth(np.array(times), shares, width, cuts, 0.04)
    assert smoothed.shape == shares.shape
    assert np.allclose(smoothed.sum(axis=1), 1, atol=1e-5)
    assert smoothed.min() >= shares.min() - 1e-6
    assert smoothed.max() <= shares.max() + 1e-6


def test_a_mean_is_taken_around_each_face() -> None:
    times = np.arange(5) / 10
    values = np.eye(7, dtype=np.float32)[[0, 0, 1, 0, 0]]
    assert smooth(times, values, 0.21, [], 0.1)[:, 1] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0])


def test_no_mean_reaches_over_a_cut_or_a_gap() -> None:
    times = np.array([0.0, 0.1, 0.2, 0.3, 2.0, 2.1])
    values = np.eye(7, dtype=np.float32)[[0, 0, 1, 1, 2, 2]]
    assert np.array_equal(smooth(times, values, 5.0, [0.2], 0.1), values)


def test_shows_per_cent_and_seconds() -> None:
    found = drawn(np.array([0.0, 1.25]), np.eye(7, dtype=np.float32)[:2], (0.0, 2.0), 1.0)
    assert found["t"] == [0.0, 1.25]
    assert found["p"][0] == [100.0, 0.0]
    assert found["p"][1] == [0.0, 100.0]


@given(st.lists(st.floats(0.01, 3), max_size=400), st.integers(20, 200))
def test_no_series_has_more_points_than_the_limit(steps: list[float], limit: int) -> None:
    times = np.cumsum(steps)
    found = drawn(times, shares_of(len(times)), (0.0, 1e6), 0.04, limit)
    assert sum(value is not None for value in found["p"][3]) <= limit
    assert found["t"] == sorted(found["t"])
    assert all(len(values) == len(found["t"]) for values in found["p"])


def test_lines_break_where_the_face_was_away() -> None:
    found = drawn(np.array([0.0, 0.04, 0.08, 2.0, 2.04]), shares_of(5), (0.0, 3.0), 0.04)
    assert found["t"] == [0.0, 0.04, 0.08, 0.081, 2.0, 2.04]
    assert [value is None for value in found["p"][6]] == [False, False, False, True, False, False]


def test_slow_clips_do_not_break() -> None:
    assert len(drawn(np.arange(5.0), shares_of(5), (0.0, 5.0), 1.0)["t"]) == 5


def test_zooming_in_shows_every_frame_and_one_beyond_each_edge() -> None:
    times = np.arange(10_000) / 25
    found = drawn(times, shares_of(10_000), (100.0, 104.0), 0.04)
    assert found["t"] == pytest.approx(np.arange(2499, 2602) / 25)


def test_stretches_without_a_face_are_found() -> None:
    view = view_of(list(range(200)), [*range(50), *range(100, 150)])
    (first,) = empty_stretches(view)
    assert empty_stretches(replace(view, archived=True))[0] == first
    (_, second) = empty_stretches(replace(view, archived=True))
    assert first == pytest.approx((50 / FPS, 100 / FPS), abs=0.01)
    assert second == pytest.approx((150 / FPS, 199 / FPS), abs=0.01)


def test_a_blink_is_no_stretch() -> None:
    assert empty_stretches(view_of(list(range(60)), [*range(30), *range(35, 60)])) == []


def test_faces_carry_their_person() -> None:
    view = view_of(list(range(4)), [0, 1, 2])
    faces = faces_of(view, pd.Series({0: 7}))
    assert list(faces["track"]) == [7, 7, 7]
    assert list(faces["end_s"] - faces["time_s"]) == pytest.approx([view.frame_s] * 3)
    assert faces_of(view, pd.Series({1: 7}, dtype="int64")).empty
