"""Clips in several shards, and their faces, for the tests."""

from shared.messages import Box, Face, Frame, Place, Reading, decode, encode
from shared.queues import clips, produce, sources, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip
from shared.queues.work import Entry, Outcome, Stage


def make_groups(broker: Broker) -> None:
    """Make the groups that the first readers would make."""
    for stage in Stage:
        sources.make_groups(broker, sources.sources(broker, stage))


def make(broker: Broker, clip_id: str, lane: int = 0) -> None:
    assert clips.create(
        broker, Clip(id=clip_id, name=clip_id, path="/a.mp4", results="/r", model="m", lane=lane)
    )


def bring(broker: Broker, clip_id: str, start: int, stop: int, *, last: bool = False) -> bool:
    """Commit a frame with one face for each number."""
    return produce.commit(
        broker,
        clip_id,
        expected=start,
        frames=[Frame(number, number / 25, 0, 1) for number in range(start, stop)],
        faces=[_face(clip_id, number) for number in range(start, stop)],
        state=b"",
        tracks=1,
        shots=1,
        last=last,
    )


def take_all(broker: Broker, consumer: str = "w") -> list[Entry]:
    """Take what there is, however many calls that needs."""
    entries: list[Entry] = []
    while page := work.take(broker, Stage.FACES, consumer, 100, 1):
        entries += page
    return entries


def read(entry: Entry, forward: bytes = b"") -> Outcome:
    place = decode(Face, entry.data).place
    reading = Reading(place=place, model="m", probabilities=[1, 0, 0, 0, 0, 0, 0], aligned=True)
    return Outcome(entry, encode(reading), forward)


def _face(clip_id: str, number: int) -> Face:
    place = Place(
        clip=clip_id, frame=number, time_s=number / 25, shot=0, face=0, track=0, box=Box(1, 2, 3, 4)
    )
    return Face(place=place, crop=b"jpeg", margin=0.25, explain=False)
