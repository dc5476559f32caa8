import itertools

import pytest

from benchmarks.timing import percentile, ratios, summarise, time_in_turn


def test_calls_take_turns_and_the_first_round_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, called = itertools.count(), list[str]()
    monkeypatch.setattr("benchmarks.timing.time.perf_counter", lambda: float(next(clock)))
    calls = {name: lambda name=name: called.append(name) for name in "ab"}
    assert time_in_turn(calls, 2) == {"a": [1.0, 1.0], "b": [1.0, 1.0]}
    assert called == ["a", "b"] * 3


def test_what_is_told_of_measured_seconds() -> None:
    times = summarise([0.5, 0.1, 0.2, 0.3, 0.4])
    assert (times.median_s, times.repeats) == (0.3, 5)
    # A fifth of the way from the largest but one to the largest, and the same at the other end.
    assert times.p95_s == pytest.approx(0.48)
    assert times.p05_s == pytest.approx(0.12)
    assert percentile([1.0, 3.0], 50) == 2.0


def test_ratios_are_taken_round_by_round() -> None:
    # A machine that was slow in the second round was slow for both.
    assert ratios([10.0, 5.0, 12.0], [2.0, 1.0, 3.0]) == (5.0, (5.0, 5.0, 4.0))
