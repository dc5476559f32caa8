"""Dead letters: found, put back with their clip's counters, dropped; whatever state the clip is in."""

import pytest

from shared.messages import Box, Face, Frame, Place, Reading, decode, encode
from shared.queues import clips, dead, lua, produce, results, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.dead import Fate, Letter
from shared.queues.work import Outcome, Stage

CLIP = "c1"


def _place(frame: int, clip_id: str = CLIP) -> Place:
    return Place(clip=clip_id, frame=frame, time_s=frame / 25, shot=0, face=0, track=0, box=Box(1, 2, 3, 4))


def _clip_with_faces(broker: Broker, count: int, clip_id: str = CLIP, *, last: bool = True) -> None:
    assert clips.create(broker, Clip(id=clip_id, name="a.mp4", path="/a.mp4", results="/r", model="m"))
    assert produce.commit(
        broker,
        clip_id,
        expected=0,
        frames=[Frame(frame, frame / 25, 0, 1) for frame in range(count)],
        faces=[
            Face(place=_place(frame, clip_id), crop=b"jpeg", margin=0.25, explain=False)
            for frame in range(count)
        ],
        state=b"",
        tracks=1,
        shots=1,
        last=last,
    )


def _take(broker: Broker, stage: Stage = Stage.FACES) -> list[work.Entry]:
    return work.take(broker, stage, "w", 100, 1) or work.take(broker, stage, "w", 100, 1)


def _good(entry: work.Entry, forward: bytes = b"") -> Outcome:
    place = decode(Face, entry.data).place
    reading = Reading(place=place, model="m", probabilities=[1, 0, 0, 0, 0, 0, 0], aligned=True)
    return Outcome(entry, encode(reading), forward)


def _bad(entry: work.Entry) -> Outcome:
    reading = Reading(
        place=decode(Face, entry.data).place, model="m", probabilities=None, aligned=False, error="poison"
    )
    return Outcome(entry, encode(reading), failure="poison")


def _fail_first(broker: Broker) -> Letter:
    """Commit all faces that wait, the first as failed, and return its letter."""
    first, *others = _take(broker)
    assert work.commit(broker, Stage.FACES, [_bad(first), *map(_good, others)]) == 1 + len(others)
    [letter] = dead.letters(broker)
    return letter


def _clip(broker: Broker) -> Clip:
    clip = clips.get(broker, CLIP)
    assert clip is not None
    return clip


def _counts(broker: Broker) -> tuple[int, int, int, State]:
    clip = _clip(broker)
    return clip.done, clip.failed, clip.pending, clip.state


def test_a_letter_says_what_it_was(broker: Broker) -> None:
    _clip_with_faces(broker, 3)
    letter = _fail_first(broker)
    assert (letter.stage, letter.clip, letter.error) == (Stage.FACES, CLIP, "poison")
    assert decode(Face, letter.data).place == _place(0)
    assert dead.find(broker, letter.id) == letter
    assert list(dead.letters(broker, CLIP)) == [letter]
    assert list(dead.letters(broker, "other")) == []


def test_all_letters_are_listed_in_order(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead, "_PAGE", 2)
    _clip_with_faces(broker, 5)
    work.commit(broker, Stage.FACES, [_bad(entry) for entry in _take(broker)])
    frames = [decode(Face, letter.data).place.frame for letter in dead.letters(broker)]
    assert frames == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", ["", "-", "+", "1", "1-", "1-x", "*", "1-1-1", "²-1", "9" * 30 + "-1"])
def test_what_is_no_id_is_not_found(broker: Broker, name: str) -> None:
    assert dead.find(broker, name) is None


def test_a_letter_of_a_running_clip_goes_back_and_counts_as_if_it_had_not_failed(broker: Broker) -> None:
    _clip_with_faces(broker, 3, last=False)
    letter = _fail_first(broker)
    assert _counts(broker) == (2, 1, 1, State.QUEUED)
    assert dead.retry(broker, letter) is Fate.QUEUED
    assert _counts(broker) == (2, 0, 2, State.QUEUED)
    assert list(dead.letters(broker)) == []
    [again] = _take(broker)
    assert (again.clip, again.data, again.deliveries) == (CLIP, letter.data, 1)
    work.commit(broker, Stage.FACES, [_good(again)])
    assert _counts(broker) == (3, 0, 1, State.QUEUED)


def test_a_letter_that_fails_again_is_dead_again(broker: Broker) -> None:
    _clip_with_faces(broker, 3)
    assert dead.retry(broker, _fail_first(broker)).is_back
    assert _fail_first(broker).error == "poison"
    assert _counts(broker) == (2, 1, 0, State.FINISHING)


def test_a_clip_whose_files_are_not_ordered_yet_waits_for_its_face(broker: Broker) -> None:
    _clip_with_faces(broker, 3)
    letter = _fail_first(broker)
    assert broker.client.smembers(broker.keys.completed) == {CLIP.encode()}
    assert dead.retry(broker, letter) is Fate.REOPENED
    assert broker.client.smembers(broker.keys.completed) == set()
    work.commit(broker, Stage.FACES, [_good(entry) for entry in _take(broker)])
    assert broker.client.smembers(broker.keys.completed) == {CLIP.encode()}
    assert _counts(broker) == (3, 0, 0, State.FINISHING)


def test_a_clip_that_is_done_is_opened_again_and_keeps_its_streams(broker: Broker) -> None:
    _clip_with_faces(broker, 3)
    letter = _fail_first(broker)
    broker.client.srem(broker.keys.completed, CLIP)
    clips.update(broker, CLIP, state=State.DONE)
    clips.expire(broker, CLIP, 1000)
    assert dead.retry(broker, letter) is Fate.REOPENED
    assert _counts(broker) == (2, 0, 1, State.FINISHING)
    ttl = "return redis.call('TTL', KEYS[1])"
    assert [broker.client.eval(ttl, 1, key(CLIP)) for key in (broker.keys.frames, broker.keys.readings)] == [
        -1,
        -1,
    ]
    work.commit(broker, Stage.FACES, [_good(entry) for entry in _take(broker)])
    assert broker.client.smembers(broker.keys.completed) == {CLIP.encode()}
    assert (_clip(broker).late, _clip(broker).written) == (1, 0)
    assert len(results.readings(broker, CLIP)[0]) == 4


def test_a_clip_whose_streams_have_expired_keeps_its_letter(broker: Broker) -> None:
    _clip_with_faces(broker, 3)
    letter = _fail_first(broker)
    clips.update(broker, CLIP, state=State.DONE)
    broker.client.delete(broker.keys.frames(CLIP), broker.keys.readings(CLIP))
    assert dead.retry(broker, letter) is Fate.EXPIRED
    assert list(dead.letters(broker)) == [letter]
    assert _counts(broker) == (2, 1, 0, State.DONE)


def test_a_failed_clip_keeps_its_letter(broker: Broker) -> None:
    _clip_with_faces(broker, 3, last=False)
    letter = _fail_first(broker)
    clips.update(broker, CLIP, state=State.FAILED)
    assert dead.retry(broker, letter) is Fate.FAILED
    assert list(dead.letters(broker)) == [letter]


def test_letters_of_clips_that_are_gone_stay_until_they_are_dropped(broker: Broker) -> None:
    broker.client.xadd(broker.keys.faces, {"stray": b"x"})
    [stray] = _take(broker)
    work.commit(broker, Stage.FACES, [Outcome(stray, failure="empty message")])
    [letter] = dead.letters(broker)
    assert dead.retry(broker, letter) is Fate.FORGOTTEN
    assert dead.drop(broker, letter)
    assert not dead.drop(broker, letter)
    assert dead.retry(broker, letter) is Fate.ABSENT
    assert dead.find(broker, letter.id) is None


def test_a_letter_of_an_unknown_stage_stays(broker: Broker) -> None:
    broker.client.xadd(broker.keys.dead, {"stage": "elsewhere", "c": CLIP, "error": "x", "m": b""})
    [letter] = dead.letters(broker)
    assert dead.retry(broker, letter) is Fate.HOMELESS
    assert list(dead.letters(broker)) == [letter]


def test_a_search_goes_back_to_retrieval(broker: Broker) -> None:
    _clip_with_faces(broker, 1)
    work.commit(broker, Stage.FACES, [_good(entry, b"query") for entry in _take(broker)])
    work.commit(
        broker, Stage.QUERIES, [Outcome(entry, failure="no") for entry in _take(broker, Stage.QUERIES)]
    )
    [letter] = dead.letters(broker)
    assert (letter.stage, _clip(broker).unexplained) == (Stage.QUERIES, 1)
    assert dead.retry(broker, letter) is Fate.REOPENED
    [again] = _take(broker, Stage.QUERIES)
    assert (again.data, _clip(broker).unexplained, _clip(broker).pending) == (b"query", 0, 1)


def test_a_forgotten_clip_leaves_no_letter(broker: Broker) -> None:
    _clip_with_faces(broker, 2)
    _clip_with_faces(broker, 2, "other")
    work.commit(broker, Stage.FACES, [_bad(entry) for entry in _take(broker)])
    clips.forget(broker, CLIP)
    assert {letter.clip for letter in dead.letters(broker)} == {"other"}


def test_the_dead_stream_holds_so_many_letters_and_no_more(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = lua.source("commit")
    assert "local DEAD_KEPT = 10000\n" in script
    _clip_with_faces(broker, 5)
    outcomes = [_bad(entry) for entry in _take(broker)]
    monkeypatch.setattr(lua, "source", lambda name: script.replace("DEAD_KEPT = 10000", "DEAD_KEPT = 3"))
    assert work.commit(broker, Stage.FACES, outcomes) == 5
    assert [decode(Face, letter.data).place.frame for letter in dead.letters(broker)] == [2, 3, 4]
    assert _clip(broker).failed == 5
