from shared.messages import Box, Preview, Seen
from shared.queues import previews
from shared.queues.broker import Broker


def preview(frame: int) -> Preview:
    return Preview(
        frame=frame,
        time_s=frame / 25,
        width=640,
        height=360,
        picture=b"jpeg",
        faces=[Seen(3, Box(10, 10, 50, 50))],
    )


def test_the_broker_holds_a_few_pictures_only(broker: Broker) -> None:
    for number in range(100):
        previews.put(broker, "c", preview(number))
    held, cursor = previews.after(broker, "c")
    assert [one.frame for one in held] == list(range(100 - previews.KEPT, 100))
    assert previews.after(broker, "c", cursor) == ([], cursor)
    assert 0 < int(broker.client.ttl(broker.keys.previews("c"))) <= 60  # type: ignore[attr-defined]


def test_a_damaged_one_is_left_out(broker: Broker) -> None:
    broker.client.xadd(broker.keys.previews("c"), {"m": b"\x01nonsense"})
    previews.put(broker, "c", preview(1))
    assert previews.after(broker, "c")[0] == [preview(1)]
