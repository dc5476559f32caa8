"""A service's heartbeat, from a thread of its own, so that a long batch doesn't make it look dead.

It falls silent with a main loop that hangs.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from shared.pulse import Pulse
from shared.queues import presence
from shared.queues.broker import LOST, Broker
from shared.queues.presence import Service

_BEAT_S: Final = 1.0
_NEWEST: Final = 0.3


@dataclass
class Said:
    """What a heartbeat says of a service; replaced when it becomes another thing."""

    service: Service


@contextmanager
def heartbeat(broker: Broker, service: Service, pulse: Pulse, hang_s: float) -> Iterator[Said]:
    """Say each second that `service` is alive and what it did, until the block ends; then take leave.

    Yields what is said. Nothing is while its main loop has been silent for `hang_s` seconds.
    """
    ended, said = threading.Event(), Said(service)
    thread = threading.Thread(
        target=_beat, args=(broker, said, pulse, hang_s, ended), name="heartbeat", daemon=True
    )
    thread.start()
    try:
        yield said
    finally:
        ended.set()
        thread.join()
        with suppress(*LOST):
            presence.leave(broker, service.name)


def smooth(rate: float, newest: float) -> float:
    """Return the moving average of a rate, exponentially weighted."""
    return rate + _NEWEST * (newest - rate)


def _beat(broker: Broker, said: Said, pulse: Pulse, hang_s: float, ended: threading.Event) -> None:
    rate, before, then = 0.0, pulse.handled, time.monotonic()
    while True:
        # The loop itself reports a lost broker.
        with suppress(*LOST):
            if pulse.silent_s() < hang_s:
                now_said = msgspec.structs.replace(said.service, handled=before, rate=round(rate, 1))
                presence.beat(broker, now_said)
        if ended.wait(_BEAT_S):
            return
        handled, now = pulse.handled, time.monotonic()
        rate = smooth(rate, (handled - before) / (now - then))
        before, then = handled, now
