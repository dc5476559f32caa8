"""What Reelmood tells, as Prometheus would see it."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.metrics.endpoint import endpoint
from shared.metrics.identity import describe
from shared.metrics.loop import loop_metrics
from shared.metrics.pipeline import PipelineCollector
from shared.pulse import Pulse
from shared.queues.broker import Broker
from shared.queues.presence import Service
from shared.settings import Settings
from tests.shared.metrics.scraped import get

SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"]}


@pytest.fixture
def exposed(broker: Broker, settings: Settings, port: int) -> set[str]:
    """The names of all series that the services tell, whether they have samples yet or not."""
    registry = loop_metrics().registry
    registry.register(PipelineCollector(broker))
    describe(registry, Service(name="worker-1", kind="worker", pid=1, host="here"))
    with endpoint(settings.model_copy(update={"metrics_port": port}), Pulse(), registry):
        status, text = get(port, "/metrics")
    assert status == 200
    return {
        family.name + suffix
        for family in text_string_to_metric_families(text)
        for suffix in SUFFIXES.get(family.type, [""])
    }
