"""What a pulse says about a service."""

import time

import pytest

from shared.metrics.health import examine
from shared.pulse import Pulse


@pytest.mark.parametrize(
    ("silent_s", "ready", "live_and_ready"),
    [
        (0, True, (True, True)),
        (0, False, (True, False)),
        (61, True, (False, False)),
        (61, False, (False, False)),
    ],
)
def test_a_silent_loop_neither_lives_nor_is_ready(
    silent_s: float, ready: bool, live_and_ready: tuple[bool, bool]
) -> None:
    health = examine(Pulse(ready=ready, beaten_s=time.monotonic() - silent_s), hang_s=60)
    assert (health.live, health.ready) == live_and_ready
    assert health.silent_s >= silent_s


def test_a_beat_ends_the_silence() -> None:
    pulse = Pulse(beaten_s=time.monotonic() - 1000)
    assert pulse.silent_s() >= 1000
    pulse.beat(ready=True)
    assert pulse.silent_s() < 1000
    assert pulse.ready
