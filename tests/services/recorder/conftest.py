import pytest

from shared.messages import Reading
from shared.queues.broker import Broker
from shared.queues.clips import Clip
from shared.settings import Settings
from tests.services.recorder.analysed import FOUND, TIMES, Ordered, analyse
from tests.services.recorder.makers import MODEL, make_video


@pytest.fixture
def ordered(settings: Settings, broker: Broker) -> Ordered:
    """Order a made clip, with all its readings done."""

    def order(found: list[Reading] = FOUND, **fields: object) -> Clip:
        name = str(fields.get("name", "clip.mp4"))
        path = settings.incoming / name
        path.parent.mkdir(parents=True, exist_ok=True)
        make_video(path, TIMES)
        known = {"id": "0123456789abcdef", "name": name, "path": str(path), "results": str(settings.results)}
        clip = Clip(**(known | {"model": MODEL} | fields))  # type: ignore[arg-type]
        analyse(broker, clip, found)
        return clip

    return order
