"""How the broker hears of a run: at most twice a second, and never at the run's expense."""

import msgspec
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from services.trainer.observer import BrokerObserver
from shared.queues import trainings
from shared.queues.broker import Broker
from shared.queues.trainings import Progress
from training.observer import Position, Stopped


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def observer(broker: Broker, clock: Clock) -> BrokerObserver:
    trainings.order(broker, "mine", b"{}", 3)
    assert trainings.begin(broker, "mine") is not None
    return BrokerObserver(broker, "mine", clock)


def told(broker: Broker) -> Progress:
    raw = broker.client.get(broker.keys.training("mine"))
    assert raw is not None
    return msgspec.json.decode(raw, type=Progress)


def at(epoch: int, step: int, loss: float = 1.5) -> Position:
    return Position(epoch=epoch, epochs=3, step=step, steps=10, loss=loss)


def test_steps_are_told_twice_a_second_at_most(
    observer: BrokerObserver, broker: Broker, clock: Clock
) -> None:
    observer.step(at(1, 1))
    assert told(broker) == Progress(epoch=1, epochs=3, step=1, steps=10, loss=1.5, left_s=None)
    clock.now += 0.25
    observer.step(at(1, 2))
    assert told(broker).step == 1
    clock.now += 0.25
    observer.step(at(1, 3))
    assert told(broker).step == 3


def test_the_time_left_follows_from_the_steps_of_this_process(
    observer: BrokerObserver, broker: Broker, clock: Clock
) -> None:
    observer.step(at(2, 1))
    clock.now += 8.0
    observer.step(at(2, 5))
    # 4 steps in 8 s; of 30 steps 15 are done
    assert told(broker).left_s == pytest.approx(30.0)


def test_a_loss_that_is_no_number_is_told_as_none(observer: BrokerObserver, broker: Broker) -> None:
    observer.step(at(1, 1, loss=float("nan")))
    assert told(broker).loss is None
    observer.epoch({"epoch": 1, "loss": float("nan"), "label_accuracy": 0.5})
    run = trainings.get(broker, "mine")
    assert run is not None
    assert (run.epoch, run.figures) == (1, {"epoch": 1, "label_accuracy": 0.5})


def test_a_run_that_is_to_stop_does(observer: BrokerObserver, broker: Broker, clock: Clock) -> None:
    broker.client.sadd(broker.keys.stopping, "another")
    observer.step(at(1, 1))
    clock.now += 1
    broker.client.sadd(broker.keys.stopping, "mine")
    with pytest.raises(Stopped, match="mine was stopped in epoch 2"):
        observer.step(at(2, 1))


def test_a_broker_that_is_away_holds_nothing_up(
    observer: BrokerObserver, broker: Broker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fail(*_: object) -> None:
        calls.append(clock.now)
        raise RedisConnectionError("gone")

    with monkeypatch.context() as away:
        away.setattr(trainings, "tell", fail)
        away.setattr(trainings, "finish_epoch", fail)
        for _ in range(40):
            observer.step(at(1, 1))
            clock.now += 0.5
        observer.epoch({"epoch": 1.0})
    assert calls == [100.0, 110.0, 120.0]
    clock.now += 10
    observer.step(at(2, 1))
    assert told(broker).epoch == 2
