"""What a process that works off a stream counts of itself."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

_BATCHES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True)
class LoopMetrics:
    """The counters of a loop, in `registry`."""

    registry: CollectorRegistry
    batch: Histogram
    """Entries taken at a time."""
    reclaimed: Counter
    """Entries delivered again: their process was killed or fell silent."""
    committed: Counter
    overtaken: Counter
    """Entries that were another process's by the time of the commit; it wrote nothing."""
    seconds: Histogram

    def timed(self, step: str) -> AbstractContextManager[object]:
        """Measure a block as one run of a step."""
        return self.seconds.labels(step).time()

    def take(self, deliveries: list[int]) -> None:
        """Count a batch; each of its entries says how often it was delivered, this time included."""
        self.batch.observe(len(deliveries))
        self.reclaimed.inc(sum(times > 1 for times in deliveries))

    def commit(self, committed: int, of: int) -> None:
        """Count what became of a batch of `of` entries."""
        self.committed.inc(committed)
        self.overtaken.inc(of - committed)


def loop_metrics() -> LoopMetrics:
    """Return counters at zero, in a registry of their own."""
    registry = CollectorRegistry()
    return LoopMetrics(
        registry,
        Histogram("reelmood_batch_size", "Entries taken at a time", registry=registry, buckets=_BATCHES),
        Counter("reelmood_reclaimed", "Entries delivered again after a process was lost", registry=registry),
        Counter("reelmood_committed", "Entries committed", registry=registry),
        Counter("reelmood_overtaken", "Entries another process had taken over", registry=registry),
        Histogram("reelmood_step_seconds", "Seconds per step", ["step"], registry=registry, buckets=_SECONDS),
    )
