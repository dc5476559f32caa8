"""The worker's promises, on a real broker: every face once, whatever happens to the worker."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from services.worker.device import DeviceLostError
from services.worker.loop import batches, commit, run, serve
from shared.errors import ModelError
from shared.messages import Query, Reading, decode
from shared.metrics.loop import LoopMetrics, loop_metrics
from shared.poster import build
from shared.poster.checkpoints import save
from shared.poster.config import ModelConfig
from shared.pulse import Pulse
from shared.queues import clips, presence, results, work
from shared.queues.broker import Broker, connect
from shared.queues.clips import State
from shared.queues.outage import Outage
from shared.queues.presence import Service
from shared.queues.work import Entry, Outcome, Stage
from shared.settings import Settings
from tests.services.worker.made import CLIP, MadeEngine, face, jpeg, picture, poison, produce_clip


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings under which a silent worker is taken over at once."""
    return settings.model_copy(update={"batch_size": 4, "reclaim_s": 0.02})


class StopsWhenDone(Pulse):
    """Counts, and sets `stop` once nothing is left on the stream."""

    def __init__(self, broker: Broker, stop: threading.Event) -> None:
        self._broker, self._stop = broker, stop
        super().__init__()

    def __setattr__(self, field: str, value: Any) -> None:
        super().__setattr__(field, value)
        if field == "handled" and work.depths(self._broker)["faces"] == 0:
            self._stop.set()


def _run(
    settings: Settings,
    broker: Broker,
    engine: MadeEngine,
    name: str = "w1",
    metrics: LoopMetrics | None = None,
) -> int:
    """Run a worker until no face is left, and return how many it committed."""
    stop = threading.Event()
    pulse = StopsWhenDone(broker, stop)
    stop.clear()
    run(settings, broker, lambda: engine, stop, name, pulse, metrics or loop_metrics())
    return pulse.handled


def _take(broker: Broker, name: str, count: int) -> list[Entry]:
    """Take entries as a worker does that then falls silent."""
    return work.take(broker, Stage.FACES, name, count, 1) or work.take(broker, Stage.FACES, name, count, 1)


def _read_frames(broker: Broker) -> list[int]:
    return sorted(reading.place.frame for reading in results.readings(broker, CLIP)[0])


def _failures(broker: Broker) -> dict[int, str | None]:
    readings, _ = results.readings(broker, CLIP)
    return {reading.place.frame: reading.error for reading in readings if reading.error}


def _counts(broker: Broker) -> tuple[int, int, State]:
    clip = clips.get(broker, CLIP)
    assert clip is not None
    return clip.done, clip.failed, clip.state


def test_all_faces_of_a_clip_are_read_in_batches(settings: Settings, broker: Broker) -> None:
    produce_clip(broker, [face(frame, explain=frame == 2) for frame in range(10)])
    engine = MadeEngine()
    assert _run(settings, broker, engine) == 10
    assert engine.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert _read_frames(broker) == list(range(10))
    (query,) = _take_queries(broker)
    assert (query.place.frame, query.emotion) == (2, "fear")
    assert _counts(broker) == (10, 0, State.QUEUED)


def _take_queries(broker: Broker) -> list[Query]:
    work.take(broker, Stage.QUERIES, "r1", 10, 1)
    return [decode(Query, entry.data) for entry in work.take(broker, Stage.QUERIES, "r1", 10, 1)]


def test_stop_finishes_the_batch_in_hand_and_takes_no_other(settings: Settings, broker: Broker) -> None:
    produce_clip(broker, [face(frame) for frame in range(10)])
    stop = threading.Event()
    pulse = Pulse()
    engine = MadeEngine(lambda frames: stop.set())
    run(settings, broker, lambda: engine, stop, "w1", pulse, loop_metrics())
    assert pulse.handled == 4
    assert _read_frames(broker) == [0, 1, 2, 3]
    assert work.depths(broker)["faces"] == 6


def test_a_silent_worker_is_taken_over_and_its_late_commit_writes_nothing(
    settings: Settings, broker: Broker
) -> None:
    produce_clip(broker, [face(frame, explain=True) for frame in range(6)])
    silent = _take(broker, "silent", 4)
    assert len(silent) == 4
    engine = MadeEngine()
    assert _run(settings, broker, engine) == 6
    assert [batch for batch in engine.batches if len(batch) == 1] == [[0], [1], [2], [3]]
    late = [Outcome(entry, b"late", b"late") for entry in silent]
    assert commit(broker, late, threading.Event(), Outage(threading.Event())) == 0
    assert _read_frames(broker) == list(range(6))
    assert len(_take_queries(broker)) == 6
    assert _counts(broker) == (6, 0, State.QUEUED)


def test_a_restarted_worker_begins_with_what_it_had_in_hand(settings: Settings, broker: Broker) -> None:
    patient = settings.model_copy(update={"reclaim_s": 1000.0})
    produce_clip(broker, [face(frame) for frame in range(6)])
    _take(broker, "w1", 2)
    engine = MadeEngine()
    assert _run(patient, broker, engine, "w1") == 6
    assert engine.batches == [[0], [1], [2, 3, 4, 5]]


def test_one_poisoned_face_and_one_malformed_entry_cost_no_other(settings: Settings, broker: Broker) -> None:
    produce_clip(broker, [face(frame) for frame in range(8)])
    broker.client.xadd(broker.keys.faces, {"c": CLIP, "m": b"\x01nonsense"})
    _run(settings, broker, MadeEngine(poison(5)))
    assert _read_frames(broker) == list(range(8))
    assert _failures(broker) == {5: "ValueError: cannot read [5]"}
    assert work.depths(broker) == {"faces": 0, "queries": 0, "dead": 2}
    done, failed, _ = _counts(broker)
    assert (done, failed) == (7, 2)


def test_a_face_delivered_too_often_is_given_up(settings: Settings, broker: Broker) -> None:
    produce_clip(broker, [face(frame) for frame in range(3)])
    _take(broker, "w0", 1)
    for name in ("w1", "w2"):
        work.reclaim(broker, Stage.FACES, name, 0, 1)
    _run(settings, broker, MadeEngine())
    assert _failures(broker) == {0: "3 workers took it and none finished"}
    assert _counts(broker) == (2, 1, State.FINISHING)


def _work_until_killed(settings: Settings, culprit: int) -> None:
    def die(frames: list[int]) -> None:
        if culprit in frames:
            os.kill(os.getpid(), signal.SIGKILL)

    broker = connect(settings)
    _run(settings, broker, MadeEngine(die), "w1")


def test_a_face_that_kills_its_worker_costs_no_other(settings: Settings, broker: Broker) -> None:
    produce_clip(broker, [face(frame) for frame in range(9)])
    exits: list[int | None] = []
    while work.depths(broker)["faces"] and len(exits) < 10:
        worker = multiprocessing.get_context("fork").Process(target=_work_until_killed, args=(settings, 5))
        worker.start()
        worker.join(60)
        exits.append(worker.exitcode)
    assert exits == [-signal.SIGKILL] * settings.max_deliveries + [0]
    assert _read_frames(broker) == list(range(9))
    assert _failures(broker) == {5: "3 workers took it and none finished"}
    assert _counts(broker) == (8, 1, State.FINISHING)


def test_a_lost_device_ends_the_worker_and_leaves_its_faces_to_others(
    settings: Settings, broker: Broker
) -> None:
    def lost(frames: list[int]) -> None:
        if 5 in frames:
            raise DeviceLostError("the device is lost")

    produce_clip(broker, [face(frame) for frame in range(8)])
    with pytest.raises(DeviceLostError) as caught:
        run(settings, broker, lambda: MadeEngine(lost), threading.Event(), "w1", Pulse(), loop_metrics())
    assert caught.value.exit_code != 0
    assert _read_frames(broker) == [0, 1, 2, 3]
    assert _run(settings, broker, MadeEngine(), "w2") == 4
    assert _read_frames(broker) == list(range(8))
    assert _failures(broker) == {}


def _lose_one_reply(monkeypatch: pytest.MonkeyPatch, function: str) -> list[str]:
    """Let the first reply of `work.function` that has something in it be lost on its way."""
    real: Callable[..., Any] = getattr(work, function)
    lost: list[str] = []

    def call(*arguments: Any) -> Any:
        reply = real(*arguments)
        if reply and not lost:
            lost.append(function)
            raise RedisConnectionError("cut")
        return reply

    monkeypatch.setattr(work, function, call)
    return lost


@pytest.mark.parametrize("function", ["take", "commit", "recover", "reclaim"])
def test_a_reply_lost_with_the_broker_neither_loses_nor_repeats_a_face(
    settings: Settings,
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    function: str,
) -> None:
    produce_clip(broker, [face(frame, explain=True) for frame in range(9)])
    _take(broker, "w1", 2)
    _take(broker, "silent", 2)
    lost = _lose_one_reply(monkeypatch, function)
    with caplog.at_level("INFO"):
        _run(settings, broker, MadeEngine(), "w1")
    assert lost == [function]
    assert _read_frames(broker) == list(range(9))
    assert len(_take_queries(broker)) == 9
    messages = [record.message for record in caplog.records if record.name.endswith("outage")]
    assert messages == ["waiting for the broker: cut", "the broker is back"]


def test_a_stopped_worker_does_not_wait_for_a_lost_broker(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*arguments: object) -> int:
        raise RedisConnectionError("cut")

    stop = threading.Event()
    stop.set()
    monkeypatch.setattr(work, "commit", cut)
    assert commit(broker, [Outcome(Entry("1-1", CLIP, b"", 1))], stop, Outage(stop)) == 0


def test_a_stopped_worker_takes_nothing(settings: Settings, broker: Broker) -> None:
    produce_clip(broker, [face(0)])
    stop = threading.Event()
    stop.set()
    assert list(batches(settings, broker, stop, "w1", Outage(stop))) == []


def test_a_model_from_a_folder_is_served(
    settings: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build("nano", 7)
    config = ModelConfig(name="tiny", size="nano", input_size=128, embedding_dim=model.embedding_dim)
    save(model, config, settings.models / "tiny")
    produce_clip(
        broker, [face(frame, explain=frame == 1, crop=jpeg(picture(frame, 64))) for frame in range(3)]
    )

    stop = threading.Event()
    real_commit, real_beat = work.commit, presence.beat
    beats: list[Service] = []

    def commit_and_stop(broker: Broker, stage: Stage, outcomes: list[Outcome]) -> int:
        committed = real_commit(broker, stage, outcomes)
        stop.set()
        return committed

    def beat(broker: Broker, service: Service) -> None:
        beats.append(service)
        real_beat(broker, service)

    monkeypatch.setattr(work, "commit", commit_and_stop)
    monkeypatch.setattr(presence, "beat", beat)
    serve(
        settings.model_copy(update={"model": "tiny", "device": "cpu"}),
        broker,
        stop,
        "worker-1",
        Pulse(),
        loop_metrics(),
    )

    readings: list[Reading] = results.readings(broker, CLIP)[0]
    assert [reading.place.frame for reading in readings] == [0, 1, 2]
    assert {reading.model.partition("@")[0] for reading in readings} == {"tiny"}
    assert [reading.explanation is not None for reading in readings] == [False, True, False]
    assert [query.place.frame for query in _take_queries(broker)] == [1]
    assert (beats[0].name, beats[0].kind, beats[0].device) == ("worker-1", "worker", "cpu")
    assert beats[0].model == readings[0].model
    assert presence.alive(broker) == []


def test_a_model_that_is_not_there_is_an_error(settings: Settings, broker: Broker) -> None:
    absent = settings.model_copy(update={"model": "absent"})
    with pytest.raises(ModelError, match="no model absent"):
        serve(absent, broker, threading.Event(), "w1", Pulse(), loop_metrics())
