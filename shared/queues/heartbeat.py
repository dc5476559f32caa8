"""A service's heartbeat, from a thread of its own, so that a long batch doesn't make it look dead."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from shared.queues import presence
from shared.queues.broker import LOST, Broker
from shared.queues.presence import Service

_BEAT_S: Final = 1.0
_NEWEST: Final = 0.3


@dataclass
class Tally:
    """How many faces a service has committed; counted by its loop, told by its heartbeat."""

    handled: int = 0


@contextmanager
def heartbeat(broker: Broker, service: Service, tally: Tally) -> Iterator[None]:
    """Say each second that `service` is alive and what it did, until the block ends; then take leave."""
    ended = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(broker, service, tally, ended), name="heartbeat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with suppress(*LOST):
            presence.leave(broker, service.name)


def smooth(rate: float, newest: float) -> float:
    """Return the moving average of a rate, exponentially weighted."""
    return rate + _NEWEST * (newest - rate)


def _beat(broker: Broker, service: Service, tally: Tally, ended: threading.Event) -> None:
    rate, before, then = 0.0, tally.handled, time.monotonic()
    while True:
        # The loop itself reports a lost broker.
        with suppress(*LOST):
            presence.beat(broker, msgspec.structs.replace(service, handled=before, rate=round(rate, 1)))
        if ended.wait(_BEAT_S):
            return
        handled, now = tally.handled, time.monotonic()
        rate = smooth(rate, (handled - before) / (now - then))
        before, then = handled, now
