import json

import pandas as pd
import pytest

from services.recorder import job
from shared.messages import VERSION, encode
from shared.queues.broker import Broker
from shared.settings import Settings
from tests.services.recorder.analysed import Ordered
from tests.services.recorder.makers import place, reading

NEWER = bytes([VERSION + 1]) + encode(reading(place(1)))[1:]


@pytest.mark.parametrize("stream", ["frames", "readings", "neighbours"])
@pytest.mark.parametrize("damage", [{"m": NEWER}, {"m": b""}, {"other": b"x"}])
def test_a_result_that_cannot_be_read_is_told_and_costs_no_other(
    settings: Settings, broker: Broker, ordered: Ordered, stream: str, damage: dict[str, str | bytes]
) -> None:
    clip = ordered()
    broker.client.xadd(getattr(broker.keys, stream)(clip.id), damage)
    job.finish(settings, broker, clip.id)
    folder = settings.results / "clip"
    assert len(pd.read_parquet(folder / "timeline.parquet")) == 7
    (warning,) = json.loads((folder / "summary.json").read_text())["warnings"]
    assert warning.startswith("results that cannot be read are missing: 1, first entry ")
    assert ("version" in warning) == (damage.get("m") == NEWER)


def test_a_clip_finishes_without_the_frames_and_faces_that_cannot_be_read(
    settings: Settings, broker: Broker, ordered: Ordered
) -> None:
    clip = ordered()
    for stream in (broker.keys.frames(clip.id), broker.keys.readings(clip.id)):
        entry, _ = broker.client.xrange(stream)[0]
        broker.client.xdel(stream, entry)
        broker.client.xadd(stream, {"m": NEWER})
    job.finish(settings, broker, clip.id)
    summary = json.loads((settings.results / "clip" / "summary.json").read_text())
    assert (summary["frames"], summary["failed_faces"]) == (0, 3)
    assert "missing: 2, first" in summary["warnings"][0]
