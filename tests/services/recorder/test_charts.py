import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recorder.charts import HEIGHT, WIDTH, Bar, clock, lane, marks, stacked_areas, ticks
from shared.emotions import COLOURS, EMOTIONS
from shared.figures.portraits import Course
from tests.services.recorder.makers import HAPPY, SAD

NOTHING = [np.nan] * 7


def course(*rows: list[float], start_s: float = 0.0, end_s: float = 4.0) -> Course:
    return Course(start_s, end_s, np.array(rows))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00.0"),
        (59.96, "1:00.0"),
        (61.24, "1:01.2"),
        (3599.97, "1:00:00.0"),
        (7325.5, "2:02:05.5"),
        (-1.5, "-0:01.5"),
        (-0.01, "0:00.0"),
    ],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_a_lane_joins_equal_steps_and_leaves_gaps() -> None:
    assert lane(course(HAPPY, HAPPY, NOTHING, SAD)) == [
        Bar(0, 500, COLOURS["happy"], "happy, 0:00.0–0:02.0"),
        Bar(750, 250, COLOURS["sad"], "sad, 0:03.0–0:04.0"),
    ]


def test_areas_are_stacked_from_the_foot_to_the_top() -> None:
    areas = stacked_areas(course(HAPPY, HAPPY))
    assert [area.title for area in areas] == list(EMOTIONS)
    shapes = [np.array([point.split(",") for point in area.points.split()], dtype=float) for area in areas]
    assert shapes[0][:, 1].max() == HEIGHT
    assert shapes[-1][:, 1].min() == pytest.approx(0, abs=0.05)
    for shape, probability in zip(shapes, HAPPY, strict=True):
        assert (shape[:, 0].min(), shape[:, 0].max()) == (0, WIDTH)
        assert np.ptp(shape[:, 1]) == pytest.approx(HEIGHT * probability, abs=0.11)


def test_a_gap_parts_the_areas() -> None:
    areas = stacked_areas(course(HAPPY, NOTHING, SAD, SAD))
    assert len(areas) == 14
    assert areas[0].points.split()[0].startswith("0.0,")
    assert areas[7].points.split()[0].startswith("500.0,")


def test_marks_lie_in_proportion() -> None:
    assert marks([1, 2, 5, 9], 1, 5) == [0, 250, 1000]
    assert marks([0], 0, 0) == []


def test_ticks_lie_at_round_times() -> None:
    assert ticks(0, 60) == [(0, "0:00.0"), (25, "0:15.0"), (50, "0:30.0"), (75, "0:45.0"), (100, "1:00.0")]
    assert [label for _, label in ticks(0.4, 2.4)] == ["0:00.5", "0:01.0", "0:01.5", "0:02.0"]
    assert ticks(0.4, 2.4)[0][0] == 5
    assert ticks(3, 3) == []


@given(st.floats(-1e5, 1e5), st.floats(0.01, 1e5))
def test_an_axis_has_few_ticks_inside_it(start_s: float, length_s: float) -> None:
    found = ticks(start_s, start_s + length_s)
    assert len(found) <= 6
    assert all(-0.01 <= at <= 100.01 for at, _ in found)
