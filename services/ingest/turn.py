"""A clip's turn: how long ingest stays at it while other clips wait."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.queues import turns
from shared.queues.broker import Broker
from shared.queues.outage import insist

_LOOK_S: Final = 0.5


@dataclass
class Turn:
    """A turn that has begun. `came_s` (Unix seconds) and `length_s` are its clip's; it lasts `least_s`."""

    broker: Broker
    clip: str
    came_s: float
    length_s: float
    least_s: float
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._began_s, self._until_s = self.clock(), -math.inf

    def catch_up(self) -> None:
        """Say that the first frame comes that no turn before has seen.

        From here on the turn lasts at least as long as it took to get here, so that decoding what had been
        decoded before takes no more than half of the time.
        """
        now_s = self.clock()
        self._until_s = now_s + max(self.least_s, now_s - self._began_s)

    def is_over(self) -> bool:
        """Tell whether it has lasted long enough, and a clip waits that is due before this one."""
        return self._yields_to(lambda due_s: due_s < self.came_s + self.length_s)

    def is_idle(self) -> bool:
        """Tell, while there is no room for more faces, whether it has lasted long enough, and a clip waits.

        This one then stands as if it came now: what holds it up must not hold up the others.
        """
        gone = self._yields_to(lambda _: True)
        if gone:
            self.came_s = time.time()
        return gone

    def hand_over(self) -> None:
        """Say when this clip is due, before it goes back on its queue."""
        insist(lambda: turns.expect(self.broker, self.clip, self.came_s + self.length_s))

    def _yields_to(self, other: Callable[[float], bool]) -> bool:
        if self.clock() < self._until_s:
            return False
        foremost_s = insist(lambda: turns.foremost(self.broker))
        self._until_s = self.clock() + min(_LOOK_S, self.least_s)
        return foremost_s is not None and other(foremost_s)
