from services.ingest.previews import Previews, preview_of
from shared.messages import Face, Seen
from shared.queues import previews
from shared.queues.broker import Broker, client_of
from shared.queues.keys import Keys
from shared.video import DecodedFrame
from tests.clips import draw
from tests.services.dashboard.made import place_of

FACE = Face(place=place_of("c", 7, 0, 0), crop=b"", margin=0.25, explain=False)


def frame(index: int, width: int = 1280, height: int = 720) -> DecodedFrame:
    return DecodedFrame(index, index / 25, draw((400, 300, 200), width=width, height=height))


def test_a_preview_is_small_and_carries_the_faces() -> None:
    made = preview_of(frame(7), [FACE])
    assert (made.width, made.height, made.frame) == (1280, 720, 7)
    assert made.faces == [Seen(FACE.place.track, FACE.place.box)]
    assert len(made.picture) < 30_000


def test_there_is_one_at_once_and_then_none_before_its_time(broker: Broker) -> None:
    pictures = Previews(broker, "c", every_s=3600)
    for index in range(3):
        pictures.show(frame(index), [])
    assert [one.frame for one in previews.after(broker, "c")[0]] == [0]


def test_they_can_be_turned_off(broker: Broker) -> None:
    Previews(broker, "c", every_s=0).show(frame(0), [])
    assert previews.after(broker, "c")[0] == []


def test_a_broker_that_is_away_is_no_error(port: int) -> None:
    nowhere = Broker(client_of(f"redis://127.0.0.1:{port}/0"), Keys("test"))
    Previews(nowhere, "c", every_s=1).show(frame(0), [])
