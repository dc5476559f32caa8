"""Metrics and health over HTTP."""

import json
import socket
import time

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from shared.errors import ReelmoodError
from shared.metrics.endpoint import endpoint
from shared.metrics.identity import describe
from shared.pulse import Pulse
from shared.queues.presence import Service
from shared.settings import Settings
from tests.shared.metrics.scraped import get, samples


@pytest.fixture
def told(settings: Settings, port: int) -> Settings:
    """Settings under which metrics are told."""
    return settings.model_copy(update={"metrics_port": port})


def _codes(port: int) -> dict[str, int]:
    return {path: get(port, path)[0] for path in ("/livez", "/readyz", "/healthz", "/metrics")}


def test_live_is_told_from_ready(told: Settings, port: int) -> None:
    pulse = Pulse()
    with endpoint(told, pulse, CollectorRegistry()):
        assert _codes(port) == {"/livez": 200, "/readyz": 503, "/healthz": 503, "/metrics": 200}
        pulse.beat(ready=True)
        assert _codes(port) == {"/livez": 200, "/readyz": 200, "/healthz": 200, "/metrics": 200}
        pulse.beaten_s = time.monotonic() - told.hang_s
        assert _codes(port) == {"/livez": 503, "/readyz": 503, "/healthz": 503, "/metrics": 200}
        health = json.loads(get(port, "/healthz")[1])
        assert (health["live"], health["ready"]) == (False, False)
        assert health["silent_s"] >= told.hang_s
    assert get(port, "/livez")[0] == 0


def test_prometheus_can_read_what_is_told(told: Settings, port: int) -> None:
    pulse, registry = Pulse(), CollectorRegistry()
    describe(registry, Service(name='w "1"', kind="worker", pid=1, host="h", device="cpu", model="nano@0"))
    pulse.beat(ready=True)
    with endpoint(told, pulse, registry):
        read = samples(get(port, "/metrics")[1])
    assert read["reelmood_ready"] == 1
    assert 0 <= read["reelmood_loop_silent_seconds"] < told.hang_s
    assert read["process_resident_memory_bytes"] > 0
    (info,) = (name for name in read if name.startswith("reelmood_service_info"))
    assert all(part in info for part in ('device="cpu"', 'kind="worker"', 'model="nano@0"', 'name="w "1""'))


def test_a_process_that_changes_its_model_says_so() -> None:
    registry = CollectorRegistry()
    before = Service(name="w", kind="worker", pid=1, host="h", device="cpu", model="a@00000001")
    tell = describe(registry, before)
    tell(msgspec.structs.replace(before, model="b@00000002"))
    (info,) = (metric for metric in registry.collect() if metric.name == "reelmood_service")
    assert [sample.labels["model"] for sample in info.samples] == ["b@00000002"]


def test_there_is_nothing_else(told: Settings, port: int) -> None:
    with endpoint(told, Pulse(), CollectorRegistry()):
        assert [get(port, path)[0] for path in ("/", "/metrics/../etc/passwd", "/livez/")] == [404] * 3


def test_nothing_listens_without_a_port(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.metrics.endpoint.make_server", lambda *_: pytest.fail("it listens"))
    with endpoint(settings, Pulse(), CollectorRegistry()):
        pass


def test_a_port_that_is_taken_is_one_line(told: Settings, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(ReelmoodError, match="set REELMOOD_METRICS_PORT") as caught:
            endpoint(told, Pulse(), CollectorRegistry()).__enter__()
    assert len(str(caught.value).splitlines()) == 1
