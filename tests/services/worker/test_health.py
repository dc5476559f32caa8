"""A worker's health, asked over HTTP while its loop does what loops do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.worker import loop, refresh
from services.worker.engine import Timer
from shared.errors import ModelError
from shared.metrics.endpoint import endpoint
from shared.metrics.loop import LoopMetrics, loop_metrics
from shared.pulse import Pulse
from shared.queues import presence, work
from shared.queues.broker import Broker
from shared.queues.heartbeat import heartbeat
from shared.queues.presence import Service
from shared.settings import Settings
from tests.integration.reelmood import eventually
from tests.services.worker.made import MadeEngine, face, produce_clip
from tests.shared.metrics.scraped import collect, get

SERVICE = Service(name="w1", kind="worker", pid=1, host="here")
HANG_S = 3.0


@pytest.fixture
def told(settings: Settings, port: int) -> Settings:
    """Settings under which a loop soon counts as hung."""
    return settings.model_copy(update={"metrics_port": port, "hang_s": HANG_S})


@contextmanager
def _working(settings: Settings, broker: Broker, engine: MadeEngine, metrics: LoopMetrics) -> Iterator[None]:
    """Run a worker with its heartbeat and endpoint in a thread."""
    stop, pulse = threading.Event(), Pulse()

    def work_on() -> None:
        with endpoint(settings, pulse, metrics.registry), heartbeat(broker, SERVICE, pulse, settings.hang_s):
            loop.run(settings, broker, lambda: engine, stop, "w1", pulse, metrics)

    thread = threading.Thread(target=work_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_health_is_wrong_while_the_loop_hangs(told: Settings, port: int, broker: Broker) -> None:
    produce_clip(broker, [face(frame) for frame in range(3)])
    go_on, metrics = threading.Event(), loop_metrics()

    def hang(frames: list[int]) -> None:
        go_on.wait(60)

    def is_beaten() -> bool:
        return [one.name for one in presence.alive(broker)] == ["w1"]

    with _working(told, broker, MadeEngine(hang), metrics):
        try:
            eventually(lambda: get(port, "/livez")[0] == 503, "the hang is told")
            assert get(port, "/readyz")[0] == 503
            eventually(lambda: not is_beaten(), "the heartbeat falls silent with the loop")
        finally:
            go_on.set()
        eventually(lambda: get(port, "/healthz")[0] == 200, "the loop's recovery is told")
        eventually(is_beaten, "the heartbeat is heard again")
    read = collect(metrics.registry)
    assert (read["reelmood_committed_total"], read["reelmood_batch_size_sum"]) == (3, 3)
    assert work.depths(broker)["faces"] == 0


def test_an_idle_worker_is_live_and_ready(told: Settings, port: int, broker: Broker) -> None:
    patient = told.model_copy(update={"hang_s": 60.0})
    with _working(patient, broker, MadeEngine(), loop_metrics()):
        eventually(lambda: get(port, "/healthz")[0] == 200, "readiness")


def test_a_worker_is_not_ready_before_its_model_is_loaded(
    settings: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse, ready = Pulse(), []

    def load(_settings: Settings, _timed: Timer) -> MadeEngine:
        ready.append(pulse.ready)
        raise ModelError("not today")

    monkeypatch.setattr(refresh, "load_engine", load)
    pulse.beat(ready=True)
    with pytest.raises(ModelError):
        loop.serve(settings, broker, threading.Event(), "w1", pulse, loop_metrics())
    assert ready == [False]


def test_faces_of_a_lost_worker_count_as_reclaimed(settings: Settings, broker: Broker) -> None:
    produce_clip(broker, [face(frame) for frame in range(3)])
    for _ in range(2):
        work.take(broker, work.Stage.FACES, "lost", 2, 1)
    metrics, stop = loop_metrics(), threading.Event()
    soon = settings.model_copy(update={"reclaim_s": 0.02})

    def stop_at_last(frames: list[int]) -> None:
        if work.depths(broker)["faces"] == 1:
            stop.set()

    loop.run(soon, broker, lambda: MadeEngine(stop_at_last), stop, "w1", Pulse(), metrics)
    read = collect(metrics.registry)
    assert (read["reelmood_reclaimed_total"], read["reelmood_committed_total"]) == (2, 3)
