import pytest

from benchmarks.clock import Clock
from training.observer import Position


def test_a_clock_takes_the_time_between_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([10.0, 11.0, 13.0, 20.0, 20.5])
    monkeypatch.setattr("benchmarks.clock.time.perf_counter", lambda: next(ticks))
    clock = Clock()
    for steps in (2, 1):
        clock.begin()
        for step in range(1, steps + 1):
            clock.step(Position(1, 1, step, steps, loss=step / 4))
    assert clock.rounds == [[1.0, 2.0], [0.5]]
    assert clock.loss == 0.25
