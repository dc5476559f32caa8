import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.figures.durations import frame_durations


def test_uneven_frames_and_a_median_for_the_last() -> None:
    np.testing.assert_allclose(frame_durations([0.0, 0.1, 0.2, 1.2]), [0.1, 0.1, 1.0, 0.1])


def test_a_single_frame_has_no_duration() -> None:
    assert list(frame_durations([3.0])) == [0.0]
    assert frame_durations([]).shape == (0,)


@given(st.lists(st.floats(-1e6, 1e6), max_size=30))
def test_never_negative_and_one_for_each_frame(times: list[float]) -> None:
    durations = frame_durations(times)
    assert durations.shape == (len(times),)
    assert (durations >= 0).all()


@given(st.lists(st.floats(0.001, 10), min_size=2, max_size=30))
def test_they_fill_the_time_up_to_the_last_frame(gaps: list[float]) -> None:
    times = np.cumsum(gaps)
    np.testing.assert_allclose(frame_durations(times)[:-1].sum(), times[-1] - times[0], atol=1e-9)
