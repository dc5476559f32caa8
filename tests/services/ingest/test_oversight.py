"""Clips whose job crashed, or was lost, find someone to work on them again."""

from pathlib import Path
from typing import cast

import pytest
from redis import Redis

from services.ingest.oversight import Oversight, oversee
from shared.queues import clips, jobs
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.tasks import Task, queue_of
from shared.settings import Settings

CRASHES = 6
STRAY_S = 3.0


@pytest.fixture
def ordered(settings: Settings, broker: Broker) -> Clip:
    """A clip that waits on its queue."""
    path = settings.incoming / "a.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"content")
    clip = Clip(id="c1", name="a.mp4", path=str(path), results=str(settings.results), model="nano")
    assert clips.create(broker, clip)
    jobs.enqueue(broker, Task.INGEST, "c1")
    return clip


def _state(broker: Broker) -> Clip:
    clip = clips.get(broker, "c1")
    assert clip is not None
    return clip


def _crash(settings: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch, memory: Oversight) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "take_failed", lambda _: [("c1", "signal 11"), ("unknown", "x")])
        oversee(settings, broker, memory, 0.0)


def test_a_clip_whose_job_crashes_without_getting_on_is_set_aside(
    settings: Settings, broker: Broker, ordered: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(CRASHES - 1):
        _crash(settings, broker, monkeypatch, Oversight())
        assert (_state(broker).state, jobs.lengths(broker)["clips"]) == (State.QUEUED, 1)
    _crash(settings, broker, monkeypatch, Oversight())
    assert (_state(broker).state, _state(broker).error) == (
        State.FAILED,
        "its analysis crashed: signal 11",
    )
    assert (settings.failed / "a.mp4").exists()
    assert not Path(ordered.path).exists()


def test_a_clip_that_gets_on_between_crashes_is_not_set_aside(
    settings: Settings, broker: Broker, ordered: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3 * CRASHES):
        broker.client.hset(broker.keys.clip("c1"), "position", 8 * number)
        _crash(settings, broker, monkeypatch, Oversight())
    assert _state(broker).state is State.QUEUED


@pytest.mark.usefixtures("ordered")
def test_a_clip_without_a_job_is_queued_again_after_a_while(settings: Settings, broker: Broker) -> None:
    memory = Oversight()
    broker.client.delete(*[key.decode() for key in broker.client.keys("rq:*")])
    oversee(settings, broker, memory, 0.0)
    oversee(settings, broker, memory, STRAY_S - 0.1)
    assert jobs.lengths(broker)["clips"] == 0
    for now_s in (STRAY_S, STRAY_S + 0.1, STRAY_S + 0.2):
        oversee(settings, broker, memory, now_s)
    assert jobs.lengths(broker)["clips"] == 1


@pytest.mark.usefixtures("ordered")
def test_a_job_that_a_runner_took_and_never_began_is_queued_again(settings: Settings, broker: Broker) -> None:
    queue = queue_of(broker, Task.INGEST)
    cast("Redis", broker.client).lmove(queue.key, queue.intermediate_queue_key)
    memory = Oversight()
    for now_s in (0.0, 0.1, STRAY_S, STRAY_S + 0.1):
        oversee(settings, broker, memory, now_s)
    assert queue.job_ids == ["test-clips-c1"]
    assert broker.client.exists(queue.intermediate_queue_key) == 0


@pytest.mark.usefixtures("ordered")
def test_a_clip_at_the_workers_needs_no_job(settings: Settings, broker: Broker) -> None:
    memory = Oversight()
    clips.update(broker, "c1", state=State.RUNNING, ingested=True, pending=3)
    broker.client.delete(*[key.decode() for key in broker.client.keys("rq:*")])
    for now_s in (0.0, 0.1, STRAY_S, STRAY_S + 0.1):
        oversee(settings, broker, memory, now_s)
    assert jobs.lengths(broker) == {"clips": 0, "finish": 0, "training": 0}


@pytest.mark.usefixtures("ordered")
@pytest.mark.parametrize(("retry_s", "queued"), [(0.0, 1), (1e12, 0)])
def test_a_clip_that_is_held_is_finished_when_its_time_has_come(
    settings: Settings, broker: Broker, retry_s: float, queued: int
) -> None:
    memory = Oversight()
    clips.update(broker, "c1", state=State.FINISHING, pending=0, held="disk full", retry_s=retry_s)
    for now_s in (0.0, 0.1, STRAY_S, STRAY_S + 0.1):
        oversee(settings, broker, memory, now_s)
    assert jobs.lengths(broker)["finish"] == queued
