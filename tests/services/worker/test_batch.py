from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.worker.batch import read_batch, read_within_memory
from services.worker.device import DeviceFullError, DeviceLostError
from services.worker.engine import FaceCrop, Predictions
from shared.messages import Query, Reading, decode
from shared.queues.work import Entry, Outcome
from tests.services.worker.made import CLIP, MODEL, MadeEngine, entry, face, jpeg, picture, poison


def _readings(outcomes: list[Outcome]) -> dict[int, Reading]:
    readings = [decode(Reading, outcome.result) for outcome in outcomes]
    return {reading.place.frame: reading for reading in readings}


def test_each_face_gets_its_own_reading() -> None:
    outcomes = read_batch(MadeEngine(), [entry(face(frame)) for frame in (3, 0, 5)], 3)
    assert [outcome.entry.id for outcome in outcomes] == ["3-1", "0-1", "5-1"]
    for outcome, frame in zip(outcomes, (3, 0, 5), strict=True):
        reading = decode(Reading, outcome.result)
        assert (reading.place, reading.model) == (face(frame).place, MODEL)
        assert reading.probabilities == [float(index == frame) for index in range(7)]
        assert (reading.aligned, reading.explanation, reading.error) == (True, None, None)
        assert (outcome.forward, outcome.failure) == (b"", "")


def test_only_explained_faces_are_explained_and_asked_about() -> None:
    faces = [face(frame, explain=frame in (1, 3)) for frame in range(4)]
    outcomes = read_batch(MadeEngine(), [entry(one) for one in faces], 3)
    for outcome, one in zip(outcomes, faces, strict=True):
        explanation, frame = decode(Reading, outcome.result).explanation, one.place.frame
        assert (explanation is None) == (not one.explain)
        if explanation is not None:
            assert (explanation.cam, explanation.cam_side) == (bytes([frame] * 4), 2)
            assert explanation.aligned == f"portrait {frame}".encode()
            assert np.frombuffer(explanation.embedding, "<f2").tolist() == [0, 1, 0, 0]
            query = decode(Query, outcome.forward)
            assert (query.place, query.model, query.embedding) == (one.place, MODEL, explanation.embedding)
            assert query.emotion == {1: "disgust", 3: "happy"}[frame]
        else:
            assert outcome.forward == b""


@given(st.integers(1, 17), st.sets(st.integers(0, 16), max_size=4))
def test_a_poisoned_batch_costs_only_the_culprits(count: int, culprits: set[int]) -> None:
    outcomes = read_batch(MadeEngine(poison(*culprits)), [entry(face(frame)) for frame in range(count)], 3)
    readings = _readings(outcomes)
    assert sorted(readings) == list(range(count))
    assert {outcome.entry.id for outcome in outcomes if outcome.failure} == {
        f"{frame}-1" for frame in culprits if frame < count
    }
    for frame, reading in readings.items():
        error = f"ValueError: cannot read [{frame}]" if frame in culprits else None
        assert (reading.error, reading.probabilities is None) == (error, frame in culprits)


def test_a_malformed_message_is_set_aside_without_a_reading() -> None:
    good = entry(face(1))
    malformed = [Entry("9-1", CLIP, data, 1) for data in (b"", b"\x01nonsense", b"\x63" + good.data[1:])]
    outcomes = read_batch(MadeEngine(), [*malformed, good], 3)
    failures = {outcome.failure: outcome.result for outcome in outcomes if outcome.failure}
    assert len(failures) == 3
    assert set(failures.values()) == {b""}
    assert any("schema version 99" in failure for failure in failures)
    assert sorted(_readings([outcome for outcome in outcomes if outcome.result])) == [1]


@pytest.mark.parametrize("crop", [b"", b"not a picture", jpeg(picture(1))[:30], jpeg(picture(1)[:8])])
def test_a_crop_that_is_no_square_picture_is_given_up(crop: bytes) -> None:
    engine = MadeEngine()
    (outcome,) = read_batch(engine, [entry(face(2, crop=crop))], 3)
    reading = decode(Reading, outcome.result)
    assert (reading.place, reading.probabilities) == (face(2).place, None)
    assert outcome.failure == reading.error == "its crop is no square picture"
    assert engine.batches == []


def test_a_face_that_ended_too_many_workers_is_not_touched() -> None:
    engine = MadeEngine()
    outcomes = read_batch(engine, [entry(face(1), deliveries=4), entry(face(2), deliveries=3)], 3)
    assert engine.batches == [[2]]
    assert _readings(outcomes)[1].error == "3 workers took it and none finished"
    assert [outcome.entry.id for outcome in outcomes if outcome.failure] == ["1-1"]


def test_an_answer_that_is_not_a_number_is_given_up() -> None:
    class Broken(MadeEngine):
        def predict(self, faces: Sequence[FaceCrop]) -> Predictions:
            predictions = super().predict(faces)
            predictions.probabilities[1] = np.nan
            return predictions

    outcomes = read_batch(Broken(), [entry(face(frame, explain=True)) for frame in range(3)], 3)
    readings = _readings(outcomes)
    assert readings[1].error == "the model's answer is not a number"
    assert [outcome.forward == b"" for outcome in outcomes] == [False, True, False]
    last = readings[2].explanation
    assert last is not None
    assert last.aligned == b"portrait 2"


def test_a_full_device_gets_smaller_batches_from_then_on() -> None:
    def full(frames: list[int]) -> None:
        if len(frames) > 3:
            raise DeviceFullError("no memory")

    engine = MadeEngine(full)
    outcomes, limit = read_within_memory(engine, [entry(face(frame)) for frame in range(13)], 3, 64)
    assert limit == 3
    assert sorted(_readings(outcomes)) == list(range(13))
    assert all(not outcome.failure for outcome in outcomes)
    assert [len(batch) for batch in engine.batches] == [13, 6, 3, 3, 3, 3, 1]


def test_a_device_without_memory_for_one_face_is_no_fault_of_the_face() -> None:
    def full(frames: list[int]) -> None:
        raise DeviceFullError("no memory")

    with pytest.raises(DeviceFullError, match="no memory"):
        read_within_memory(MadeEngine(full), [entry(face(frame)) for frame in range(5)], 3, 4)


def test_a_lost_device_is_no_fault_of_the_faces() -> None:
    def lost(frames: list[int]) -> None:
        raise DeviceLostError("gone")

    engine = MadeEngine(lost)
    with pytest.raises(DeviceLostError, match="gone"):
        read_within_memory(engine, [entry(face(frame)) for frame in range(5)], 3, 4)
    assert len(engine.batches) == 1
