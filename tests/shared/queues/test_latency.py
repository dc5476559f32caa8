"""How long faces took, on a real broker."""

import time

import pytest

from shared.errors import MessageError
from shared.messages import Box, Face, Frame, Place, Reading, decode, encode
from shared.queues import clips, produce, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip
from shared.queues.latency import newest, passage, under_way
from shared.queues.work import Outcome, Stage


def _clip(broker: Broker, decoded_s: list[float]) -> None:
    clips.create(broker, Clip(id="c1", name="a", path="/a", results="/r", model="m"))
    place = Place(clip="c1", frame=1, time_s=0.04, shot=0, face=0, track=0, box=Box(1, 2, 3, 4))
    produce.commit(
        broker,
        "c1",
        expected=0,
        frames=[Frame(0, 0.0, 0, 0), Frame(1, 0.04, 0, 1)],
        faces=[Face(place=place, crop=b"jpeg", margin=0.25, explain=False)],
        state=b"",
        tracks=1,
        shots=1,
        last=True,
        decoded_s=decoded_s,
    )


def test_a_face_takes_from_its_own_frame_to_its_reading(broker: Broker) -> None:
    before_s = time.time()
    _clip(broker, [before_s - 5, before_s - 3])
    work.take(broker, Stage.FACES, "w", 1, 1)
    (entry,) = work.take(broker, Stage.FACES, "w", 1, 1)
    place = decode(Face, entry.data).place
    reading = Reading(place=place, model="m", probabilities=[1, 0, 0, 0, 0, 0, 0], aligned=True)
    work.commit(broker, Stage.FACES, [Outcome(entry, encode(reading))])
    after_s = time.time()
    through = passage(broker, "c1")
    # The broker tells whole milliseconds.
    assert len(through.latencies_s) == len(through.read_s) == 1
    assert 3 - 2e-3 <= through.latencies_s[0] <= 3 + after_s - before_s + 2e-3
    assert before_s - 2e-3 <= through.read_s[0] <= after_s + 2e-3
    assert through.last_result_s == through.read_s[0]


def test_without_a_face_the_last_result_is_the_last_frame(broker: Broker) -> None:
    before_s = time.time()
    _clip(broker, [1.0, 2.0])
    through = passage(broker, "c1")
    assert (through.latencies_s, through.read_s) == ((), ())
    assert before_s - 2e-3 <= through.last_result_s <= time.time() + 2e-3


def test_a_clip_whose_decoding_nobody_noted_has_no_latencies(broker: Broker) -> None:
    _clip(broker, [])
    with pytest.raises(MessageError, match="were decoded"):
        passage(broker, "c1")


def test_a_live_face_takes_from_its_camera_to_its_reading(broker: Broker) -> None:
    captured_s = {1: time.time() - 3}
    _clip(broker, [])
    assert (newest(broker, "c1", captured_s), under_way(broker, "c1")) == (None, 1)
    while not (entries := work.take(broker, Stage.FACES, "w", 1, 1)):
        pass
    place = decode(Face, entries[0].data).place
    reading = Reading(place=place, model="m", probabilities=[1, 0, 0, 0, 0, 0, 0], aligned=True)
    work.commit(broker, Stage.FACES, [Outcome(entries[0], encode(reading))])
    taken_s = newest(broker, "c1", captured_s)
    assert taken_s is not None
    assert 3 - 2e-3 <= taken_s <= time.time() - captured_s[1] + 2e-3
    assert newest(broker, "c1", {}) is None
    assert under_way(broker, "c1") == 0


def test_nothing_is_committed_after_the_end_of_a_clip(broker: Broker) -> None:
    _clip(broker, [])
    assert not produce.commit(
        broker, "c1", expected=2, frames=[], faces=[], state=b"", tracks=1, shots=1, last=True
    )
