"""Lanes: short clips' faces pass the backlog of long ones."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages import Face, decode
from shared.queues import lanes, produce, work
from shared.queues.broker import Broker
from shared.queues.work import Stage
from tests.shared.queues.sharded import bring, make, make_groups, read


@pytest.mark.parametrize(("frames", "lane"), [(1, 0), (250, 0), (251, 1), (2500, 1), (2501, 2), (0, 1)])
def test_a_clip_waits_with_those_that_are_about_as_long(frames: int, lane: int) -> None:
    assert lanes.lane_of(frames) == lane


def test_half_of_a_batch_is_the_first_lanes() -> None:
    assert lanes.shares([0, 1, 2], 32, 7) == [16, 8, 8]
    assert lanes.shares([0, 1, 2, 0, 1, 2], 32, 3) == [8, 4, 4, 8, 4, 4]
    assert [lanes.shares([0, 1, 2], 1, turn) for turn in range(4)] == [
        [1, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
    ]


@given(st.lists(st.sampled_from([0, 1, 2]), min_size=1), st.integers(0, 300), st.integers(0, 1 << 16))
def test_all_of_a_batch_is_shared_out(streams: list[int], count: int, turn: int) -> None:
    shared = lanes.shares(streams, count, turn)
    assert sum(shared) == count
    weights = [2, 1, 1]
    rounds = count // sum(weights[lane] for lane in streams)
    assert all(share >= rounds * weights[lane] for share, lane in zip(shared, streams, strict=True))


def _film(broker: Broker, faces: int) -> None:
    make(broker, "film", lane=2)
    for start in range(0, faces, 100):
        assert bring(broker, "film", start, start + 100)


def test_a_short_clip_passes_the_backlog_of_a_film(broker: Broker) -> None:
    make_groups(broker)
    _film(broker, 2400)
    first = work.take(broker, Stage.FACES, "w", 600, 1)
    assert [decode(Face, entry.data).place.frame for entry in first] == list(range(600))
    make(broker, "short")
    bring(broker, "short", 0, 40, last=True)
    batch = work.take(broker, Stage.FACES, "w", 32, 1)
    taken = Counter(entry.clip for entry in batch)
    assert taken["short"] >= 2 * taken["film"] - 1 > 0
    rest = work.take(broker, Stage.FACES, "w", 64, 1)
    assert Counter(entry.clip for entry in rest) == {
        "short": 40 - taken["short"],
        "film": 24 + taken["short"],
    }


def test_what_comes_from_different_lanes_is_committed_together(broker: Broker) -> None:
    make_groups(broker)
    _film(broker, 200)
    make(broker, "short")
    bring(broker, "short", 0, 100, last=True)
    entries = work.take(broker, Stage.FACES, "w", 300, 1)
    assert {entry.lane for entry in entries} == {0, 2}
    assert work.commit(broker, Stage.FACES, [read(entry) for entry in entries]) == 300
    assert work.depths(broker)["faces"] == 0


def test_later_lanes_hold_up_nobody_in_front_of_them(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    _film(broker, 400)
    make(broker, "short")
    monkeypatch.setattr("shared.queues.produce.time.sleep", lambda _: pytest.fail("it waited"))
    assert produce.wait_for_room(broker, 300, 100, "short")
    assert not produce.wait_for_room(broker, 300, 100, "film", lambda: True)
