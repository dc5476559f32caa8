"""Waiting for a broker: it is told of once, ends with the outage, and can be cut short."""

import threading
from collections.abc import Callable
from typing import cast

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError

from shared.errors import BrokerError
from shared.queues import outage
from shared.queues.broker import LOST, client_of
from shared.queues.outage import Outage, insist, reach
from shared.settings import Settings


def _after(*failures: Exception) -> Callable[[], str]:
    left = list(failures)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "_LONGEST_S", 0.0)


@pytest.mark.parametrize("error", [RedisConnectionError("gone"), OutOfMemoryError("full")])
def test_a_call_is_repeated_until_the_broker_answers(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert insist(_after(error, error, error)) == "answer"
    assert caplog.messages == [f"waiting for the broker: {error}", "the broker is back"]


def test_another_error_is_not_waited_for() -> None:
    with pytest.raises(ValueError, match="wrong"):
        insist(_after(ValueError("wrong")))


def test_a_broker_that_refuses_every_other_call_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    troubled = Outage(threading.Event())
    for _ in range(20):
        insist(_after(OutOfMemoryError("full")), troubled)
    assert caplog.messages == ["waiting for the broker: full", "the broker is back"]


def test_waiting_for_a_broker_that_never_comes_is_cut_short() -> None:
    stop = threading.Event()
    waiting = threading.Thread(target=reach, args=(Settings(redis_url="redis://127.0.0.1:1/0"), stop))
    waiting.start()
    stop.set()
    waiting.join()
    assert reach(Settings(redis_url="redis://127.0.0.1:1/0"), stop) is None


def test_what_waiting_does_not_mend_is_told_at_once() -> None:
    with pytest.raises(BrokerError, match="REELMOOD_REDIS_URL"):
        reach(Settings(redis_url="http://127.0.0.1"), threading.Event())


def test_a_full_broker_refuses_a_script_as_a_whole(settings: Settings) -> None:
    client = cast("Redis", client_of(str(settings.redis_url)))
    client.flushall()
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(LOST):
            client.eval(
                "redis.call('HSET', KEYS[1], 'a', 1); redis.call('HSET', KEYS[2], 'b', 2)", 2, "one", "two"
            )
        assert client.exists("one", "two") == 0
    finally:
        client.config_set("maxmemory", 0)
