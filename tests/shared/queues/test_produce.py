"""Back-pressure: ingest waits while too much is waiting, whatever the marks are."""

import pytest

from shared.queues import produce
from shared.queues.broker import Broker


def _fill(broker: Broker, stream: str, count: int) -> list[bytes]:
    return [broker.client.xadd(stream, {"m": b""}) for _ in range(count)]


@pytest.mark.parametrize("stream", ["faces", "queries"])
@pytest.mark.parametrize(("high", "low"), [(4, 2), (4, 4), (4, 9), (4, 0)])
def test_ingest_waits_at_the_high_mark_until_below_the_low_one(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, stream: str, high: int, low: int
) -> None:
    key = getattr(broker.keys, stream)
    entries = _fill(broker, key, 4)
    left: list[int] = []

    def work_off(_: float) -> None:
        broker.client.xdel(key, entries.pop())
        left.append(len(entries))

    monkeypatch.setattr("shared.queues.produce.time.sleep", work_off)
    produce.wait_for_room(broker, high, low)
    assert left[-1] == max(1, min(low, high)) - 1


def test_below_the_high_mark_it_does_not_wait(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(broker, broker.keys.faces, 3)
    _fill(broker, broker.keys.queries, 3)
    monkeypatch.setattr("shared.queues.produce.time.sleep", lambda _: pytest.fail("it waited"))
    produce.wait_for_room(broker, 4, 1)
