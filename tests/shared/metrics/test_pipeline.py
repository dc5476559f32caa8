"""What one process tells of the whole pipeline, on a real broker."""

import pytest
from prometheus_client import CollectorRegistry
from rq.executions import Execution

from shared.messages import Box, Face, Frame, Place
from shared.metrics.pipeline import PipelineCollector
from shared.queues import clips, counters, jobs, produce, work
from shared.queues.broker import Broker, client_of
from shared.queues.clips import Clip, State
from shared.queues.tasks import Task, connection_of, fetch, queue_of
from shared.queues.work import Outcome, Stage
from tests.shared.metrics.scraped import Samples, collect


def _produce(broker: Broker, clip: str, faces: int) -> None:
    places = [
        Place(clip=clip, frame=n, time_s=n, shot=0, face=0, track=0, box=Box(1, 2, 3, 4))
        for n in range(faces)
    ]
    assert clips.create(broker, Clip(id=clip, name="a.mp4", path="/a.mp4", results="/r", model="m"))
    assert produce.commit(
        broker,
        clip,
        expected=0,
        frames=[Frame(place.frame, place.time_s, 0, 1) for place in places],
        faces=[Face(place=place, crop=b"jpeg", margin=0.25, explain=False) for place in places],
        state=b"",
        tracks=1,
        shots=1,
        last=True,
        counts=counters.spent("ingest", {"decode": 1_500_000}),
    )


def _take(broker: Broker, stage: Stage, count: int) -> list[work.Entry]:
    return work.take(broker, stage, "w1", count, 1) or work.take(broker, stage, "w1", count, 1)


def _scrape(broker: Broker) -> Samples:
    registry = CollectorRegistry()
    registry.register(PipelineCollector(broker))
    return collect(registry)


def test_an_idle_house_has_zeros(broker: Broker) -> None:
    read = _scrape(broker)
    assert read["reelmood_broker_up"] == 1
    assert read["reelmood_broker_memory_bytes"] > 0
    for queue in ("clips", "faces", "queries", "finish"):
        assert read[f'reelmood_queue_depth{{queue="{queue}"}}'] == 0
        assert read[f'reelmood_queue_oldest_age_seconds{{queue="{queue}"}}'] == 0
    assert read["reelmood_faces_read_total"] == 0
    assert read['reelmood_clips_ended_total{state="done"}'] == 0


def test_everything_is_counted_once(broker: Broker) -> None:
    _produce(broker, "c1", faces=5)
    jobs.enqueue(broker, Task.INGEST, "c2")
    entries = _take(broker, Stage.FACES, 4)
    outcomes = [Outcome(entry, b"reading", b"query") for entry in entries[:3]]
    outcomes.append(Outcome(entries[3], failure="broken"))
    assert work.commit(broker, Stage.FACES, outcomes) == 4
    assert work.commit(broker, Stage.FACES, outcomes) == 0
    (query, *_) = _take(broker, Stage.QUERIES, 3)
    assert work.commit(broker, Stage.QUERIES, [Outcome(query, b"neighbours")]) == 1
    for _ in range(2):
        ended = counters.lost({"frame_lost": 7}) | counters.spent("recorder", {"tables": 250_000})
        clips.update(broker, "c1", ended, state=State.DONE)
    read = _scrape(broker)
    assert {name: value for name, value in read.items() if name.endswith("_total") and value} == {
        "reelmood_frames_decoded_total": 5,
        "reelmood_faces_found_total": 5,
        "reelmood_faces_read_total": 3,
        "reelmood_faces_failed_total": 1,
        "reelmood_queries_answered_total": 1,
        "reelmood_dead_letters_total": 1,
    }
    assert {name: value for name, value in read.items() if "_total{" in name and value} == {
        'reelmood_clips_ended_total{state="done"}': 1,
        'reelmood_frames_dropped_total{reason="frame_lost"}': 7,
        'reelmood_job_seconds_total{stage="ingest",step="decode"}': 1.5,
        'reelmood_job_seconds_total{stage="recorder",step="tables"}': 0.25,
    }
    depths = {"clips": 1, "finish": 0, "training": 0, "faces": 1, "queries": 2, "dead": 1}
    assert {queue: read[f'reelmood_queue_depth{{queue="{queue}"}}'] for queue in depths} == depths
    for stage in ("ingest", "worker", "retrieval", "recorder"):
        assert read[f'reelmood_last_success_timestamp_seconds{{stage="{stage}"}}'] > 1.7e9


def test_what_is_in_hand_is_told_from_what_waits(broker: Broker) -> None:
    assert _scrape(broker)['reelmood_queue_taken{queue="faces"}'] == 0
    _produce(broker, "c1", faces=5)
    _take(broker, Stage.FACES, 3)
    jobs.enqueue(broker, Task.INGEST, "c2")
    jobs.enqueue(broker, Task.INGEST, "c3")
    queue = queue_of(broker, Task.INGEST)
    first = fetch(broker, queue.pop_job_id() or "")
    with connection_of(broker).pipeline() as pipe:
        first.prepare_for_execution("runner", pipe)
        Execution.create(first, 60, pipe)
        pipe.execute()
    read = _scrape(broker)
    assert {name: value for name, value in read.items() if "queue_taken" in name and value} == {
        'reelmood_queue_taken{queue="faces"}': 3,
        'reelmood_queue_taken{queue="clips"}': 1,
    }
    assert read['reelmood_queue_depth{queue="clips"}'] == 1


def test_the_oldest_entry_has_its_age(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    _produce(broker, "c1", faces=2)
    seconds, microseconds = broker.client.time()
    monkeypatch.setattr(broker.client, "time", lambda: (seconds + 90, microseconds))
    _take(broker, Stage.FACES, 2)
    assert 90 <= work.ages(broker)["faces"] < 100
    assert work.ages(broker)["queries"] == 0


def test_a_broker_that_is_away_is_told(broker: Broker) -> None:
    assert _scrape(Broker(client_of("redis://127.0.0.1:1/0"), broker.keys)) == {"reelmood_broker_up": 0}
