"""An absent broker: wait until it is back."""

import logging
import random
import threading
from typing import Final

logger = logging.getLogger(__name__)

_FIRST_S: Final = 0.1
_LONGEST_S: Final = 2.0


class Outage:
    """Pauses between attempts to reach the broker: longer each time, up to 2 s, and cut short by `stop`."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._attempts = 0

    def wait(self, error: Exception) -> None:
        """Pause after a failed attempt; the first one is logged."""
        if self._attempts == 0:
            logger.warning("broker lost, waiting for it: %s", error)
        longest = min(_LONGEST_S, _FIRST_S * 2**self._attempts)
        self._attempts += 1
        # Jitter keeps the workers of a cluster from coming back all at once.
        self._stop.wait(random.uniform(longest / 2, longest))  # noqa: S311 - nothing secret

    def over(self) -> None:
        """Take note that the broker has answered."""
        if self._attempts:
            logger.info("broker is back")
        self._attempts = 0
