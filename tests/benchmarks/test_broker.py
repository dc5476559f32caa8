"""Faces through a real broker, with nothing that looks at them."""

import pytest

from benchmarks.broker import Settings, measure, send_through
from shared.queues import clips, work
from shared.queues.broker import Broker

TINY = Settings(faces=50, crop_bytes=100, batch=16, repeats=2)


def test_every_face_comes_through_and_nothing_stays(broker: Broker) -> None:
    once = send_through(broker, TINY, "clip")
    assert once.came_through == 50
    assert min(once.produce, once.take_and_commit, once.read) > 0
    assert work.depths(broker) == {"faces": 0, "queries": 0, "dead": 0}
    assert clips.recent(broker) == []


def test_rates_belong_to_their_times() -> None:
    told: list[str] = []
    measured = measure(TINY, told.append)
    assert [row.step for row in measured.rows] == ["produce", "take and commit", "read results"]
    for row in measured.rows:
        assert row.faces_per_s == pytest.approx(1e6 / row.us_a_face)
    produce, _, read = measured.rows
    assert produce.mb_per_s == pytest.approx(produce.faces_per_s * 100 / 1e6)
    assert read.mb_per_s is None
    assert measured.round_trip_us > 0
    assert len(told) == 2
    assert any(name in measured.server for name in ("valkey", "redis"))
