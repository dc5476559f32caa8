import threading

import msgspec
import pytest

from shared.pulse import Pulse
from shared.queues import presence
from shared.queues.broker import Broker
from shared.queues.heartbeat import heartbeat, smooth
from shared.queues.presence import Service

SERVICE = Service(name="w1", kind="worker", pid=1, host="here", device="cpu", model="nano@0")
HANG_S = 60


def test_a_worker_is_alive_until_its_block_ends(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    beaten, beat = threading.Event(), presence.beat

    def beat_and_tell(broker: Broker, service: Service) -> None:
        beat(broker, service)
        beaten.set()

    monkeypatch.setattr(presence, "beat", beat_and_tell)
    with heartbeat(broker, SERVICE, Pulse(handled=7), HANG_S):
        assert beaten.wait(10)
        (alive,) = presence.alive(broker)
        assert (alive.name, alive.kind, alive.device, alive.model) == ("w1", "worker", "cpu", "nano@0")
        assert alive.handled == 7
    assert presence.alive(broker) == []


def test_what_is_said_can_change(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    changed = threading.Event()

    def beat(broker: Broker, service: Service) -> None:
        heard.append(f"{service.model} {service.note}".strip())
        if service.note:
            changed.set()

    monkeypatch.setattr(presence, "beat", beat)
    monkeypatch.setattr("shared.queues.heartbeat._BEAT_S", 0.01)
    with heartbeat(broker, SERVICE, Pulse(), HANG_S) as said:
        said.service = msgspec.structs.replace(SERVICE, model="other@1", note="nano is refused")
        assert changed.wait(10)
    assert heard[-1] == "other@1 nano is refused"


def test_the_rate_follows_what_is_handled(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    pulse, rates, thrice = Pulse(), [], threading.Event()

    def beat(broker: Broker, service: Service) -> None:
        rates.append(service.rate)
        pulse.handled += 1000
        if len(rates) == 3:
            thrice.set()

    monkeypatch.setattr(presence, "beat", beat)
    monkeypatch.setattr("shared.queues.heartbeat._BEAT_S", 0.01)
    with heartbeat(broker, SERVICE, pulse, HANG_S):
        assert thrice.wait(10)
    assert rates[0] == 0
    assert 0 < rates[1] < rates[2]


def test_a_broker_that_is_away_does_not_end_the_heartbeat(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, again = [], threading.Event()

    def beat(broker: Broker, service: Service) -> None:
        calls.append(service)
        if len(calls) == 1:
            raise ConnectionError
        again.set()

    monkeypatch.setattr(presence, "beat", beat)
    monkeypatch.setattr("shared.queues.heartbeat.LOST", (ConnectionError,))
    monkeypatch.setattr("shared.queues.heartbeat._BEAT_S", 0.01)
    with heartbeat(broker, SERVICE, Pulse(), HANG_S):
        assert again.wait(10)


def test_nothing_is_said_for_a_loop_that_hangs(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = threading.Semaphore(0)
    said: list[Service] = []

    class Hung(Pulse):
        def silent_s(self) -> float:
            rounds.release()
            return HANG_S

    monkeypatch.setattr(presence, "beat", lambda broker, service: said.append(service))
    monkeypatch.setattr("shared.queues.heartbeat._BEAT_S", 0.01)
    with heartbeat(broker, SERVICE, Hung(), HANG_S):
        assert all(rounds.acquire(timeout=10) for _ in range(3))
    assert said == []


@pytest.mark.parametrize("rate", [0.0, 100.0])
def test_a_steady_rate_is_approached(rate: float) -> None:
    for _ in range(30):
        rate = smooth(rate, 40)
    assert rate == pytest.approx(40, abs=0.1)
