"""Who follows a training run while it goes on: a progress bar, curves, the job that it is."""

from dataclasses import dataclass
from typing import Final, Protocol

from shared.errors import ReelmoodError


@dataclass(frozen=True)
class Position:
    """Where a run stands: epoch from 1, step of the epoch from 1, mean loss of the epoch so far."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float


class Stopped(ReelmoodError):  # noqa: N818 - nothing went wrong: someone asked for it
    """Raised by an observer to end a run; the same call goes on from the last epoch that was finished."""


class Observer(Protocol):
    """Follows a run from inside; what it raises ends the run."""

    def step(self, position: Position) -> None:
        """Take notice of a finished step. Raises Stopped to end the run here."""

    def epoch(self, row: dict[str, float]) -> None:
        """Take notice of a finished epoch, whose state and history are written: its row of the history."""


@dataclass(frozen=True)
class Observers:
    """Several observers as one; each is told in turn."""

    members: tuple[Observer, ...]

    def step(self, position: Position) -> None:
        """Tell all of a step."""
        for member in self.members:
            member.step(position)

    def epoch(self, row: dict[str, float]) -> None:
        """Tell all of an epoch."""
        for member in self.members:
            member.epoch(row)


NOBODY: Final[Observer] = Observers(())
