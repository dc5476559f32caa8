"""Times the steps of a training loop."""

import time
from dataclasses import dataclass, field

from training.observer import Position


@dataclass
class Clock:
    """Times steps: an observer of Reelmood's loop, called alike by the plain one."""

    rounds: list[list[float]] = field(default_factory=list)
    loss: float = 0.0
    _last: float = 0.0

    def begin(self) -> None:
        """Begin a round."""
        self.rounds.append([])
        self._last = time.perf_counter()

    def step(self, position: Position) -> None:
        """Take the time of a step; `position` tells the mean loss of the round so far."""
        now = time.perf_counter()
        self.rounds[-1].append(now - self._last)
        self.loss, self._last = position.loss, now

    def epoch(self, row: dict[str, float]) -> None:
        """Take no notice: a round ends with its last step."""
