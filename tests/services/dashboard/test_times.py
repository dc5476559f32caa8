import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dashboard.times import clock, horizon


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
