import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.dashboard.downsample import thin

Series = tuple[NDArray[np.float64], NDArray[np.float32]]


@st.composite
def series(draw: st.DrawFn, columns: int = 7) -> Series:
    steps = draw(st.lists(st.floats(0.001, 5, allow_subnormal=False), min_size=1, max_size=300))
    seed = draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).random((len(steps), columns), np.float32)
    return np.cumsum(steps), values


@given(series(), st.integers(4, 60))
def test_keeps_at_most_the_limit_in_order_with_both_ends(made: Series, limit: int) -> None:
    time_s, values = made
    kept = thin(time_s, values, limit)
    assert len(kept) <= limit
    assert np.all(np.diff(kept) > 0)
    assert kept[0] == 0
    assert kept[-1] == len(time_s) - 1


@given(series(), st.integers(300, 400))
def test_leaves_a_short_series_as_it_is(made: Series, limit: int) -> None:
    time_s, values = made
    assert thin(time_s, values, limit).tolist() == list(range(len(time_s)))


@given(series(columns=1), st.integers(4, 60))
def test_of_a_single_series_the_extremes_survive(made: Series, limit: int) -> None:
    time_s, values = made
    kept = values[thin(time_s, values, limit), 0]
    assert kept.min() == values.min()
    assert kept.max() == values.max()


@given(st.integers(1, 4998), st.integers(0, 6))
def test_a_spike_of_one_frame_survives(frame: int, column: int) -> None:
    values = np.full((5000, 7), 0.1, np.float32)
    values[frame, column] = 0.9
    assert frame in thin(np.arange(5000) / 25, values, 100)


def test_the_past_stays_as_it_is_drawn_while_the_series_grows() -> None:
    time_s = np.arange(4000) / 25
    values = np.random.default_rng(5).random((4000, 7), np.float32)
    # 100 s and 120 s need buckets of the same width: a power of two
    earlier, later = (thin(time_s[:count], values[:count], 300) for count in (2500, 3000))
    settled = earlier[earlier < 2450]
    assert np.array_equal(settled, later[later < 2450])
