"""Time spent on each step of a job, added up."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

T = TypeVar("T")

_END: Final = object()


class Stopwatch:
    """Adds up how long each step of a job takes, on the monotonic clock."""

    def __init__(self) -> None:
        self._spent_ns: dict[str, int] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the time of the block for a step."""
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            self._spend(name, started)

    def each(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Yield the items; what it takes to come by each of them counts for a step."""
        iterator = iter(items)
        while True:
            started = time.perf_counter_ns()
            item = next(iterator, _END)
            self._spend(name, started)
            if item is _END:
                return
            yield item  # type: ignore[misc]

    def take(self) -> dict[str, int]:
        """Return the whole microseconds spent on each step since the last call."""
        taken = {name: spent // 1000 for name, spent in self._spent_ns.items()}
        self._spent_ns = {name: spent % 1000 for name, spent in self._spent_ns.items()}
        return taken

    def _spend(self, name: str, started: int) -> None:
        self._spent_ns[name] = self._spent_ns.get(name, 0) + time.perf_counter_ns() - started
