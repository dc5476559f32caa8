"""Tells the broker how far a run is, and hears from it that the run is to stop."""

import logging
import math
import time
from collections.abc import Callable
from typing import Final

from shared.queues import trainings
from shared.queues.broker import LOST, Broker
from training.observer import Position, Stopped

logger = logging.getLogger(__name__)

_EVERY_S: Final = 0.5
_AWAY_S: Final = 10.0


class BrokerObserver:
    """Follows a run for `status` and the dashboard, at most twice a second.

    A broker that is away holds no run up: it is asked again 10 s later. `clock` is monotonic, in seconds.
    """

    def __init__(self, broker: Broker, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._name = name
        self._clock = clock
        self._due_s = clock()
        self._first: tuple[float, int] | None = None

    def step(self, position: Position) -> None:
        """Tell of a step. Raises Stopped when somebody has asked for it."""
        now = self._clock()
        done = (position.epoch - 1) * position.steps + position.step
        self._first = self._first or (now, done)
        if now < self._due_s:
            return
        self._due_s = now + _EVERY_S
        progress = trainings.Progress(
            epoch=position.epoch,
            epochs=position.epochs,
            step=position.step,
            steps=position.steps,
            loss=position.loss if math.isfinite(position.loss) else None,
            left_s=self._left_s(now, done, position.epochs * position.steps),
        )
        try:
            wanted = trainings.tell(self._broker, self._name, progress)
        except LOST as error:
            self._wait(error)
            return
        if wanted:
            raise Stopped(f"run {self._name} was stopped in epoch {position.epoch}")

    def epoch(self, row: dict[str, float]) -> None:
        """Tell of a saved epoch."""
        try:
            trainings.finish_epoch(self._broker, self._name, row)
        except LOST as error:
            self._wait(error)

    def _left_s(self, now: float, done: int, steps: int) -> float | None:
        """Return the seconds left at the mean speed since this process began, validation included."""
        if self._first is None or done == self._first[1]:
            return None
        start_s, before = self._first
        return (now - start_s) / (done - before) * (steps - done)

    def _wait(self, error: Exception) -> None:
        self._due_s = self._clock() + _AWAY_S
        logger.warning("the broker does not hear how far the run is: %s", error)
