"""A clip whose frames and faces are on the broker, each face read, as ingest and a worker leave it."""

import time
from collections.abc import Callable
from pathlib import Path

from shared.messages import Face, Frame, Reading, encode
from shared.queues import clips, produce, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip
from shared.queues.work import Outcome, Stage
from tests.services.recorder.makers import HAPPY, SAD, explanation, neighbours, place, reading

TIMES = [index / 25 for index in range(6)]
FOUND = [
    reading(place(1), HAPPY, explanation=explanation()),
    reading(place(1, 1, track=1), SAD),
    reading(place(4), None),
]
Ordered = Callable[..., Clip]


def analyse(broker: Broker, clip: Clip, found: list[Reading]) -> None:
    """Put a clip's frames and faces on the broker and commit their readings, as ingest and a worker do."""
    assert clips.create(broker, clip)
    assert work.take(broker, Stage.FACES, "worker", 100, 1) == []
    clips.update(broker, clip.id, started_s=time.time())
    counts = [sum(one.place.frame == index for one in found) for index in range(len(TIMES))]
    assert produce.commit(
        broker,
        clip.id,
        expected=0,
        frames=[Frame(index, time_s, 0, counts[index]) for index, time_s in enumerate(TIMES)],
        faces=[Face(place=one.place, crop=b"jpeg", margin=0.25, explain=False) for one in found],
        state=b"",
        tracks=2,
        shots=1,
        last=True,
    )
    entries = work.take(broker, Stage.FACES, "worker", 100, 1)
    assert len(entries) == len(found)
    outcomes = [
        Outcome(entry, result=encode(one), failure=one.error or "")
        for entry, one in zip(entries, found, strict=True)
    ]
    assert work.commit(broker, Stage.FACES, outcomes) == len(found)
    for one in found:
        if one.explanation is not None:
            broker.client.xadd(broker.keys.neighbours(clip.id), {"m": encode(neighbours(one.place))})


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
