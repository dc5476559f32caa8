import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from services.retrieval import loop
from services.retrieval.library import Library
from shared.messages import Neighbours, Query, encode
from shared.metrics.loop import loop_metrics
from shared.pulse import Pulse
from shared.queues import clips, presence, results, work
from shared.queues.broker import LOST, Broker
from shared.queues.clips import Clip
from shared.queues.work import Entry, Stage
from shared.settings import Settings
from tests.services.retrieval.makers import MODEL, OTHER, finish_clip, query, unit

ASKING = "asking"
NAME = "retrieval-1"


@pytest.fixture
def asking(broker: Broker) -> Broker:
    """The broker, with a clip that is under way and the group of the queries made."""
    clip = Clip(id=ASKING, name="asking.mp4", path="/asking.mp4", results="/results", model=MODEL)
    assert clips.create(broker, clip)
    assert work.take(broker, Stage.QUERIES, "nobody", 1, 1) == []
    return broker


def ask(broker: Broker, *data: bytes) -> None:
    for one in data:
        broker.client.xadd(broker.keys.queries, {"c": ASKING, "m": one})
        client: Any = broker.client
        client.hincrby(broker.keys.clip(ASKING), "pending", 1)


def serve_until(
    settings: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch, reached: Callable[[], bool]
) -> None:
    """Serve in this thread until a condition holds after a batch."""
    stop = threading.Event()
    take = work.take

    def watched(broker: Broker, stage: Stage, consumer: str, count: int, block_ms: int) -> list[Entry]:
        if reached():
            stop.set()
            return []
        return take(broker, stage, consumer, count, min(block_ms, 10))

    with monkeypatch.context() as patched:
        patched.setattr(work, "take", watched)
        loop.serve(settings, broker, stop, NAME, Pulse(), loop_metrics())


def answers(broker: Broker) -> list[Neighbours]:
    return results.neighbours(broker, ASKING)[0]


def test_queries_are_answered(settings: Settings, asking: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = [("happy", unit(1, 0, 0)), ("happy", unit(1, 0.2, 0)), ("sad", unit(0, 0, 1))]
    finish_clip(settings.results, "one", "id-1", faces)
    ask(asking, encode(query(unit(1, 0, 0))), encode(query(unit(0, 0.1, 1), emotion="sad")))
    serve_until(settings, asking, monkeypatch, lambda: len(answers(asking)) == 2)

    first, second = answers(asking)
    assert [(one.source, one.frame, one.label) for one in first.nearest] == [
        ("one.mp4", 0, "happy"),
        ("one.mp4", 1, "happy"),
        ("one.mp4", 2, "sad"),
    ]
    assert first.agrees is True
    assert second.nearest[0].label == "sad"
    assert second.agrees is False
    clip = clips.get(asking, ASKING)
    assert clip is not None
    assert (clip.explained, clip.unexplained, clip.pending) == (2, 0, 1)
    assert work.depths(asking)["queries"] == 0


def test_another_models_faces_are_no_neighbours(
    settings: Settings, asking: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish_clip(settings.results, "one", "id-1", [("happy", unit(1, 0, 0))], model=OTHER)
    ask(asking, encode(query(unit(1, 0, 0))), encode(query(unit(1, 0, 0), model=OTHER)))
    serve_until(settings, asking, monkeypatch, lambda: len(answers(asking)) == 2)
    mine, others = answers(asking)
    assert (mine.nearest, mine.agrees) == ([], None)
    assert [one.source for one in others.nearest] == ["one.mp4"]


def test_a_malformed_query_is_set_aside_and_the_next_is_answered(
    settings: Settings, asking: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish_clip(settings.results, "one", "id-1", [("happy", unit(1, 0, 0))])
    good: Query = query(unit(1, 0, 0))
    bad = [b"", b"\x01garbage", b"\xff", encode(query(b"abc")), encode(query(unit(1, 0)))]
    ask(asking, *bad, encode(good))
    serve_until(settings, asking, monkeypatch, lambda: len(answers(asking)) == 1)
    clip = clips.get(asking, ASKING)
    assert clip is not None
    assert (clip.explained, clip.unexplained, clip.pending) == (1, 5, 1)
    reasons = [fields[b"error"].decode() for _, fields in asking.client.xrange(asking.keys.dead)]
    assert len(reasons) == 5
    assert all(reasons)


def test_what_a_killed_predecessor_had_taken_is_answered_first(
    settings: Settings, asking: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(asking, encode(query(unit(1, 0, 0))))
    assert len(work.take(asking, Stage.QUERIES, NAME, 10, 1)) == 1
    serve_until(settings, asking, monkeypatch, lambda: len(answers(asking)) == 1)
    client: Any = asking.client
    assert client.xpending(asking.keys.queries, work.GROUP)["pending"] == 0


def test_what_a_dead_peer_had_taken_is_answered(
    settings: Settings, asking: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(asking, encode(query(unit(1, 0, 0))))
    assert len(work.take(asking, Stage.QUERIES, "peer", 10, 1)) == 1
    quick = settings.model_copy(update={"reclaim_s": 0.001})
    serve_until(quick, asking, monkeypatch, lambda: len(answers(asking)) == 1)


def test_a_query_that_kills_is_given_up(settings: Settings) -> None:
    library = Library(settings.gallery, settings.results)
    entry = Entry("1-0", ASKING, encode(query(unit(1, 0, 0))), settings.max_deliveries)
    assert loop.handle(entry, library, settings).failure == ""
    assert (
        "given up" in loop.handle(replace(entry, deliveries=entry.deliveries + 1), library, settings).failure
    )


def test_a_lost_broker_is_told_once_and_waited_for(
    settings: Settings, asking: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ask(asking, encode(query(unit(1, 0, 0))))
    take, failures = work.take, iter(range(3))

    def away(*arguments: Any) -> list[Entry]:
        if next(failures, None) is not None:
            raise LOST[0]("connection refused")
        return take(*arguments)

    monkeypatch.setattr(work, "take", away)
    with caplog.at_level(logging.INFO):
        serve_until(settings, asking, monkeypatch, lambda: len(answers(asking)) == 1)
    lines = [record.getMessage() for record in caplog.records]
    assert sum("waiting for the broker" in line for line in lines) == 1
    assert sum("broker is back" in line for line in lines) == 1


def test_it_shows_that_it_is_alive_and_leaves_at_its_end(
    settings: Settings, asking: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[presence.Service] = []

    def look() -> bool:
        seen.extend(presence.alive(asking))
        return True

    serve_until(settings, asking, monkeypatch, look)
    assert [(one.name, one.kind) for one in seen] == [(NAME, "retrieval")]
    assert presence.alive(asking) == []
