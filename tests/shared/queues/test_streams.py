"""The promises of the work streams, on a real broker."""

from shared.messages import Box, Face, Frame, Place, Reading, decode, encode
from shared.queues import clips, produce, results, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.work import Outcome, Stage

CLIP = "c1"


def _clip(broker: Broker, clip_id: str = CLIP) -> None:
    assert clips.create(broker, Clip(id=clip_id, name="a.mp4", path="/a.mp4", results="/r", model="m"))


def _place(frame: int, clip_id: str = CLIP) -> Place:
    return Place(clip=clip_id, frame=frame, time_s=frame / 25, shot=0, face=0, track=0, box=Box(1, 2, 3, 4))


def _face(frame: int, clip_id: str = CLIP) -> Face:
    return Face(place=_place(frame, clip_id), crop=b"jpeg", margin=0.25, explain=False)


def _produce(broker: Broker, start: int, stop: int, *, last: bool = False, clip_id: str = CLIP) -> bool:
    return produce.commit(
        broker,
        clip_id,
        expected=start,
        frames=[Frame(frame, frame / 25, 0, 1) for frame in range(start, stop)],
        faces=[_face(frame, clip_id) for frame in range(start, stop)],
        state=f"at {stop}".encode(),
        tracks=1,
        shots=1,
        last=last,
    )


def _take(broker: Broker, consumer: str, count: int = 100) -> list[work.Entry]:
    return work.take(broker, Stage.FACES, consumer, count, 1) or work.take(
        broker, Stage.FACES, consumer, count, 1
    )


def _read(entry: work.Entry, forward: bytes = b"") -> Outcome:
    place = decode(Face, entry.data).place
    reading = Reading(place=place, model="m", probabilities=[1, 0, 0, 0, 0, 0, 0], aligned=True)
    return Outcome(entry, encode(reading), forward)


def _state(broker: Broker) -> State:
    clip = clips.get(broker, CLIP)
    assert clip is not None
    return clip.state


def test_a_clip_is_complete_when_ingest_and_all_faces_are_through(broker: Broker) -> None:
    _clip(broker)
    assert _produce(broker, 0, 3)
    assert work.commit(broker, Stage.FACES, [_read(entry) for entry in _take(broker, "w1")]) == 3
    assert _state(broker) is State.QUEUED
    assert _produce(broker, 3, 5, last=True)
    assert broker.client.smembers(broker.keys.completed) == set()
    assert work.commit(broker, Stage.FACES, [_read(entry) for entry in _take(broker, "w1")]) == 2
    assert broker.client.smembers(broker.keys.completed) == {CLIP.encode()}
    assert _state(broker) is State.FINISHING
    frames, _ = results.frames(broker, CLIP)
    readings, cursor = results.readings(broker, CLIP, count=2)
    rest, end = results.readings(broker, CLIP, cursor)
    assert [one.frame for one in frames] == [one.place.frame for one in readings + rest] == [0, 1, 2, 3, 4]
    assert results.readings(broker, CLIP, end) == ([], end)


def test_a_clip_without_a_face_is_complete_at_its_last_frame(broker: Broker) -> None:
    _clip(broker)
    assert produce.commit(
        broker,
        CLIP,
        expected=0,
        frames=[Frame(0, 0, 0, 0)],
        faces=[],
        state=b"",
        tracks=0,
        shots=1,
        last=True,
    )
    assert broker.client.smembers(broker.keys.completed) == {CLIP.encode()}


def test_an_overtaken_ingest_commits_nothing(broker: Broker) -> None:
    _clip(broker)
    assert _produce(broker, 0, 4)
    assert not _produce(broker, 0, 4)
    assert not _produce(broker, 2, 6)
    position = produce.position(broker, CLIP)
    assert (position.frame, position.state, position.finished) == (4, b"at 4", False)
    assert broker.client.xlen(broker.keys.faces) == 4


def test_ingest_of_a_forgotten_clip_stops(broker: Broker) -> None:
    _clip(broker)
    clips.forget(broker, CLIP)
    assert not _produce(broker, 0, 1)
    assert broker.client.keys(f"{broker.keys.prefix}*") == []


def test_a_late_commit_after_a_reclaim_writes_nothing(broker: Broker) -> None:
    _clip(broker)
    _produce(broker, 0, 2, last=True)
    frozen = _take(broker, "frozen")
    taken_over = work.reclaim(broker, Stage.FACES, "peer", 0, 10)
    assert [entry.deliveries for entry in taken_over] == [2, 2]
    assert work.commit(broker, Stage.FACES, [_read(entry) for entry in taken_over]) == 2
    assert work.commit(broker, Stage.FACES, [_read(entry) for entry in frozen]) == 0
    assert len(results.readings(broker, CLIP)[0]) == 2
    assert work.depths(broker) == {"faces": 0, "queries": 0, "dead": 0}


def test_a_restarted_consumer_recovers_only_its_own(broker: Broker) -> None:
    _clip(broker)
    _produce(broker, 0, 4)
    mine, theirs = _take(broker, "w1", 2), _take(broker, "w2", 2)
    assert [entry.id for entry in work.recover(broker, Stage.FACES, "w1", 10)] == [entry.id for entry in mine]
    assert work.reclaim(broker, Stage.FACES, "w1", 3600, 10) == []
    assert work.commit(broker, Stage.FACES, [_read(entry) for entry in theirs]) == 2


def test_what_is_forwarded_holds_the_clip_open(broker: Broker) -> None:
    _clip(broker)
    _produce(broker, 0, 1, last=True)
    work.commit(broker, Stage.FACES, [_read(entry, b"query") for entry in _take(broker, "w1")])
    assert broker.client.smembers(broker.keys.completed) == set()
    work.take(broker, Stage.QUERIES, "r1", 1, 1)
    (query,) = work.take(broker, Stage.QUERIES, "r1", 1, 1)
    assert (query.clip, query.data) == (CLIP, b"query")
    assert work.commit(broker, Stage.QUERIES, [Outcome(query)]) == 1
    assert broker.client.smembers(broker.keys.completed) == {CLIP.encode()}


def test_a_failure_is_set_aside_and_the_clip_goes_on(broker: Broker) -> None:
    _clip(broker)
    _produce(broker, 0, 2, last=True)
    bad, good = _take(broker, "w1")
    work.commit(broker, Stage.FACES, [Outcome(bad, failure="poison"), _read(good)])
    ((_, dead),) = broker.client.xrange(broker.keys.dead)
    assert dead[b"error"] == b"poison"
    assert decode(Face, dead[b"m"]) == _face(0)
    clip = clips.get(broker, CLIP)
    assert clip is not None
    assert (clip.faces, clip.done, clip.failed, clip.state) == (2, 1, 1, State.FINISHING)


def test_an_entry_without_a_message_is_set_aside(broker: Broker) -> None:
    broker.client.xadd(broker.keys.faces, {"stray": b"x"})
    (stray,) = _take(broker, "w1")
    assert (stray.clip, stray.data) == ("", b"")
    assert work.commit(broker, Stage.FACES, [Outcome(stray, failure="empty message")]) == 1
    assert work.depths(broker) == {"faces": 0, "queries": 0, "dead": 1}


def test_a_forgotten_clip_is_not_resurrected(broker: Broker) -> None:
    _clip(broker)
    _clip(broker, "other")
    _produce(broker, 0, 2)
    _produce(broker, 0, 1, clip_id="other")
    held = _take(broker, "w1", 1)
    clips.forget(broker, CLIP)
    assert work.commit(broker, Stage.FACES, [_read(entry) for entry in held]) == 0
    assert clips.get(broker, CLIP) is None
    assert [entry.clip for entry in _take(broker, "w1")] == ["other"]


def test_the_same_clip_is_taken_once_until_it_fails(broker: Broker) -> None:
    _clip(broker)
    clip = Clip(id=CLIP, name="b.mp4", path="/b.mp4", results="/r", model="m")
    assert not clips.create(broker, clip)
    clips.update(broker, CLIP, state=State.FAILED, error="no video", warnings=["a", "b"])
    failed = clips.get(broker, CLIP)
    assert failed is not None
    assert (failed.error, failed.warnings) == ("no video", ["a", "b"])
    assert clips.create(broker, clip)
    assert [one.name for one in clips.recent(broker)] == ["b.mp4"]
