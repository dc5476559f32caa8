"""What the broker knows of the whole pipeline, as Prometheus metrics: told by one process, the watcher."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.queues import counters, jobs, presence, work
from shared.queues.broker import LOST, Broker
from shared.queues.counters import Totals

_COUNTS: Final = {
    "frames_decoded": ("frames", "Frames decoded"),
    "faces_found": ("faces", "Faces found"),
    "faces_read": ("done", "Faces read"),
    "faces_failed": ("failed", "Faces given up"),
    "queries_answered": ("explained", "Searches for neighbours answered"),
    "queries_failed": ("unexplained", "Searches for neighbours given up"),
    "dead_letters": ("dead", "Entries put on the dead stream"),
}
_ENDS: Final = ("done", "failed")
_LAST: Final = {"ingest": "frames", "worker": "done", "retrieval": "explained", "recorder": "clips:done"}


class PipelineCollector(Collector):
    """Asks the broker at each scrape; while it is away, there is `reelmood_broker_up 0` and nothing else."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        try:
            metrics = [*_queues(self._broker), *_house(self._broker), *_totals(counters.read(self._broker))]
        except LOST:
            yield _gauge("broker_up", "1 when the broker answers", 0)
            return
        yield _gauge("broker_up", "1 when the broker answers", 1)
        yield from metrics


def _queues(broker: Broker) -> Iterator[Metric]:
    depths = jobs.lengths(broker) | work.depths(broker)
    yield _by("queue", "queue_depth", "Entries that wait or are under way", depths)
    taken = jobs.taken(broker) | work.taken(broker)
    yield _by("queue", "queue_taken", "Entries and jobs that a process has in hand", taken)
    ages = jobs.ages(broker) | work.ages(broker)
    yield _by("queue", "queue_oldest_age_seconds", "Age of the oldest of them", ages)


def _house(broker: Broker) -> Iterator[Metric]:
    kinds = Counter(service.kind for service in [*presence.alive(broker), *jobs.runners(broker)])
    yield _by("kind", "services_alive", "Processes alive, by kind", kinds)
    memory = [server.info("memory") for server in broker.servers()]
    used, limits = [one["used_memory"] for one in memory], [one["maxmemory"] for one in memory]
    yield _gauge("broker_memory_bytes", "Memory that the broker's servers use", sum(used))
    yield _gauge("broker_memory_limit_bytes", "Their limit; 0: none", sum(limits) if all(limits) else 0)


def _totals(totals: Totals) -> Iterator[Metric]:
    for name, (field, text) in _COUNTS.items():
        yield CounterMetricFamily(f"reelmood_{name}", text, value=totals.counts.get(field, 0))
    clips = CounterMetricFamily("reelmood_clips_ended", "Clips that came to an end", labels=["state"])
    for state in _ENDS:
        clips.add_metric([state], totals.counts.get(f"clips:{state}", 0))
    yield clips
    dropped = CounterMetricFamily("reelmood_frames_dropped", "Frames missing in timelines", labels=["reason"])
    for reason, count in totals.dropped.items():
        dropped.add_metric([reason], count)
    yield dropped
    spent = CounterMetricFamily("reelmood_job_seconds", "Time that jobs took", labels=["stage", "step"])
    for (stage, step), seconds in totals.seconds.items():
        spent.add_metric([stage, step], seconds)
    yield spent
    last = {stage: totals.last_s[field] for stage, field in _LAST.items() if field in totals.last_s}
    yield _by("stage", "last_success_timestamp_seconds", "When a stage last committed something", last)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"reelmood_{name}", text, value=value)


def _by(label: str, name: str, text: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"reelmood_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
