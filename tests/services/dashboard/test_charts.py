import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.dashboard.charts import clock, horizon, table, ticks, timeline
from shared.emotions import COLOURS, EMOTIONS


def shares(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).dirichlet(np.ones(7), count).astype(np.float32)


def option_without_data(**arguments: Any) -> dict[str, Any]:
    times = np.arange(100) / 25
    option = timeline(times, shares(100), arguments.pop("shots", []), (0.0, 4.0), 0.04, **arguments)
    option["dataset"] = {}
    return option


def test_has_one_line_in_its_own_colour_for_each_emotion() -> None:
    series = option_without_data()["series"]
    assert [one["name"] for one in series] == list(EMOTIONS)
    assert [one["itemStyle"]["color"] for one in series] == [COLOURS[emotion] for emotion in EMOTIONS]
    assert [one["encode"]["y"] for one in series] == list(EMOTIONS)


def test_is_json_and_names_nothing_outside_the_page() -> None:
    text = json.dumps(option_without_data(shots=[1.0, 2.0]))
    assert "http" not in text


def test_lines_are_not_stacked() -> None:
    assert all("stack" in one for one in option_without_data(stacked=True)["series"])
    assert not any("stack" in one for one in option_without_data(stacked=False)["series"])


def test_cuts_within_the_part_shown_are_marked() -> None:
    option = option_without_data(shots=[0.0, 1.5, 3.0, 9.0])
    marks = option["series"][-1]["markLine"]
    assert [mark["xAxis"] for mark in marks["data"]] == [1500, 3000]


def test_very_many_cuts_are_thinned() -> None:
    option = timeline(np.arange(10.0), shares(10), np.arange(1, 5000) / 600, (0.0, 10.0))
    marks = option["series"][-1]["markLine"]
    assert 0 < len(marks["data"]) <= 120
    assert not marks["label"]["show"]


@given(st.lists(st.floats(0.01, 3), max_size=400), st.integers(20, 200))
def test_no_series_has_more_points_than_the_limit(steps: list[float], limit: int) -> None:
    times = np.cumsum(steps)
    rows = table(times, shares(len(times)), (0.0, 1e6), 0.04, limit)
    assert rows["happy"].notna().sum() <= limit
    assert rows["time"].is_monotonic_increasing


def test_shows_percent_and_times_in_milliseconds() -> None:
    rows = table(np.array([0.0, 1.25]), np.eye(7, dtype=np.float32)[:2], (0.0, 2.0), 1.0, 600)
    assert rows["time"].tolist() == [0, 1250]
    assert rows["at"].tolist() == ["0:00.0", "0:01.2"]
    assert rows["angry"].tolist() == [100.0, 0.0]
    assert rows["disgust"].tolist() == [0.0, 100.0]


def test_lines_break_where_the_face_was_away() -> None:
    times = np.array([0.0, 0.04, 0.08, 2.0, 2.04])
    rows = table(times, shares(5), (0.0, 3.0), 0.04, 600)
    assert rows["sad"].isna().tolist() == [False, False, False, True, False, False]


def test_slow_clips_do_not_break() -> None:
    rows = table(np.arange(5.0), shares(5), (0.0, 5.0), 1.0, 600)
    assert len(rows) == 5


def test_zooming_in_shows_every_frame_and_one_beyond_each_edge() -> None:
    times = np.arange(10_000) / 25
    rows = table(times, shares(10_000), (100.0, 104.0), 0.04, 600)
    assert rows["time"].tolist() == [40 * number for number in range(2499, 2602)]


@pytest.mark.parametrize(
    ("seconds", "digits", "text"),
    [(0, 0, "0:00"), (59.96, 1, "1:00.0"), (187.4, 0, "3:07"), (3723.5, 1, "1:02:03.5"), (-1, 0, "0:00")],
)
def test_times_read_as_people_write_them(seconds: float, digits: int, text: str) -> None:
    assert clock(seconds, digits) == text


@given(st.integers(2, 200_000), st.floats(1, 120))
def test_the_axis_stays_put_while_a_clip_of_known_length_is_read(frames: int, fps: float) -> None:
    ends = {
        horizon((frame - 1) / fps, 1 / fps, frames, growing=True) for frame in (1, frames // 2 + 1, frames)
    }
    assert len(ends) == 1
    assert ends.pop() >= frames / fps - 1e-6


@given(st.floats(0, 40_000))
def test_the_axis_of_a_clip_of_unknown_length_grows_in_doublings(last_s: float) -> None:
    end = horizon(last_s, 0.04, 0, growing=True)
    assert end >= last_s
    assert end == 15 or end / 2 < last_s + 0.05
    assert np.log2(end / 15) % 1 == 0


def test_ticks_reach_from_start_to_end() -> None:
    assert ticks(80.0)[0] == 0
    assert ticks(80.0)[-1] == 80
    assert len(set(ticks(0.2))) == 101
