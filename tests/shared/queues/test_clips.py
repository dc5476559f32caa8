"""The clips' hashes: what is damaged neither hides the others nor stays for ever."""

import pytest

from shared.errors import MessageError
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State

CLIP = Clip(id="c1", name="a.mp4", path="/a.mp4", results="/r", model="m")

DAMAGES = [
    ("state", b"dancing"),
    ("frames", b"many"),
    ("warnings", b"[" * 100_000),
    ("warnings", b"{"),
    ("name", b"\xff\xfe"),
    (b"\xff".decode("latin-1"), b"\xff"),
]


@pytest.mark.parametrize(("field", "value"), DAMAGES)
def test_a_damaged_clip_is_told_left_out_and_can_start_anew(broker: Broker, field: str, value: bytes) -> None:
    clips.create(broker, CLIP)
    clips.create(broker, Clip(id="c2", name="b.mp4", path="/b.mp4", results="/r", model="m"))
    broker.client.hset(broker.keys.clip("c1"), field, value)
    with pytest.raises(MessageError, match="clip c1 on the broker is damaged"):
        clips.get(broker, "c1")
    assert [clip.id for clip in clips.recent(broker)] == ["c2"]
    assert clips.get_or_forget(broker, "c1") is None
    assert clips.create(broker, CLIP)
    assert clips.get_or_forget(broker, "c1") is not None


def test_half_a_clip_is_a_damaged_one(broker: Broker) -> None:
    broker.client.hset(broker.keys.clip("c1"), "frames", 3)
    with pytest.raises(MessageError, match="damaged"):
        clips.get(broker, "c1")
    assert clips.get_or_forget(broker, "c1") is None
    assert clips.create(broker, CLIP)


def test_the_broker_remembers_so_many_ended_clips_and_no_more(broker: Broker) -> None:
    for number in range(8):
        assert clips.create(broker, Clip(id=f"c{number}", name="a", path="/a", results="/r", model="m"))
        clips.update(broker, f"c{number}", state=State.DONE if number % 2 else State.RUNNING)
    broker.client.xadd(broker.keys.frames("c1"), {"m": b""})
    assert clips.trim(broker, 8) == 0
    assert clips.trim(broker, 5) == 1
    assert [clip.id for clip in clips.recent(broker)] == ["c7", "c6", "c5", "c4", "c3", "c2", "c0"]
    assert broker.client.exists(broker.keys.clip("c1"), broker.keys.frames("c1")) == 0
    assert clips.trim(broker, 1) == 2
    assert clips.trim(broker, 1) == 0
    assert [clip.id for clip in clips.recent(broker)] == ["c7", "c6", "c4", "c2", "c0"]
