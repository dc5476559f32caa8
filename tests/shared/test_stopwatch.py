"""Time spent on each step of a job, on a clock that the test turns."""

from collections.abc import Iterator

import pytest

from shared.stopwatch import Stopwatch


@pytest.fixture
def now_ns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The time of the clock, to be set."""
    time_ns = [0]
    monkeypatch.setattr("shared.stopwatch.time.perf_counter_ns", lambda: time_ns[0])
    return time_ns


def test_steps_are_added_up_until_they_are_taken(now_ns: list[int]) -> None:
    watch = Stopwatch()
    for _ in range(2):
        with watch.step("detect"):
            now_ns[0] += 1_500_000
    with watch.step("commit"):
        now_ns[0] += 2_000
    assert watch.take() == {"detect": 3000, "commit": 2}
    assert sum(watch.take().values()) == 0


def test_no_time_is_lost_to_rounding(now_ns: list[int]) -> None:
    watch, taken = Stopwatch(), 0
    for _ in range(10):
        with watch.step("wait"):
            now_ns[0] += 1_300
        taken += watch.take()["wait"]
    assert taken == 13


def test_only_the_coming_of_each_item_counts(now_ns: list[int]) -> None:
    def slow() -> Iterator[int]:
        for number in range(3):
            now_ns[0] += 10_000
            yield number

    watch, seen = Stopwatch(), []
    for number in watch.each("decode", slow()):
        now_ns[0] += 1_000_000
        seen.append(number)
    assert seen == [0, 1, 2]
    assert watch.take() == {"decode": 30}


def test_a_step_that_fails_counts(now_ns: list[int]) -> None:
    watch = Stopwatch()

    def fail() -> None:
        with watch.step("commit"):
            now_ns[0] += 5_000
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert watch.take() == {"commit": 5}
