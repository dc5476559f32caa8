"""A broker that is away or can take nothing: wait until it answers."""

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from shared.errors import BrokerAwayError
from shared.pulse import Pulse
from shared.queues.broker import LOST, Broker, connect
from shared.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_S: Final = 0.1
_LONGEST_S: Final = 2.0
_CALM_S: Final = 10.0


class Outage:
    """Pauses between attempts to reach the broker: longer each time, up to 2 s, and cut short by `stop`.

    A loop reports here how each attempt ended; every report is a beat of its `pulse`.
    """

    def __init__(self, stop: threading.Event, pulse: Pulse | None = None) -> None:
        self._stop = stop
        self._pulse = pulse or Pulse()
        self._attempts = 0
        self._failed_s = -math.inf
        self._told = False

    def wait(self, error: Exception) -> None:
        """Pause after a failed attempt; the first one of a troubled time is logged."""
        self._pulse.beat(ready=False)
        now = time.monotonic()
        if self._attempts == 0 and now - self._failed_s > _CALM_S:
            self._told = True
            logger.warning("waiting for the broker: %s", error)
        self._failed_s = now
        longest = min(_LONGEST_S, _FIRST_S * 2**self._attempts)
        self._attempts += 1
        # Jitter keeps the workers of a cluster from coming back all at once.
        self._stop.wait(random.uniform(longest / 2, longest))  # noqa: S311 - nothing secret

    def over(self) -> None:
        """Take note that the broker has answered."""
        self._pulse.beat(ready=True)
        if self._told:
            logger.info("the broker is back")
        self._told, self._attempts = False, 0


def reach(settings: Settings, stop: threading.Event, pulse: Pulse | None = None) -> Broker | None:
    """Connect to the broker, waiting for one that does not answer yet; None once `stop` is set.

    Raises BrokerError when waiting would not help.
    """
    outage = Outage(stop, pulse)
    while not stop.is_set():
        try:
            broker = connect(settings)
        except BrokerAwayError as error:
            outage.wait(error)
        else:
            outage.over()
            return broker
    return None


def insist(call: Callable[[], T], outage: Outage | None = None) -> T:
    """Return what `call` returns, calling it again until the broker answers; the call must be repeatable.

    `outage` is for who calls often: a broker that refuses every other call is then told of once.
    """
    outage = outage or Outage(threading.Event())
    while True:
        try:
            answer = call()
        except LOST as error:
            outage.wait(error)
        else:
            outage.over()
            return answer
