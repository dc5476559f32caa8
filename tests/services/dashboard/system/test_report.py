from services.dashboard.system.report import act, rates, report, retry_all
from shared.queues import clips, counters, work
from shared.queues.broker import Broker
from tests.services.dashboard.made import commit_frames, made_clip, start_clip


def give_up(broker: Broker, faces: int, reason: str = "its crop is no square picture") -> None:
    """Fill the dead stream with so many faces of a running clip."""
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(faces))
    while not (entries := work.take(broker, work.Stage.FACES, "made", 500, 1)):
        pass
    work.commit(broker, work.Stage.FACES, [work.Outcome(entry, failure=reason) for entry in entries])


def test_an_empty_house_has_its_queues(broker: Broker) -> None:
    now = report(broker)
    names = [queue.name for queue in now.queues]
    assert names == ["faces", "queries", "clips", "finish", "training"]
    assert {queue.waiting for queue in now.queues} == {0}
    assert (now.letters, now.dead) == ([], 0)


def test_what_waits_is_counted_with_what_is_in_hand(broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(10))
    while not work.take(broker, work.Stage.FACES, "made", 4, 1):
        pass
    faces = report(broker).queues[0]
    assert (faces.waiting, faces.in_hand) == (10, 4)
    assert faces.oldest_s >= 0


def test_rates_are_what_happened_between_two_reports(broker: Broker) -> None:
    before = report(broker)
    assert rates(None, before) == {}
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(10))
    now = report(broker)
    seconds = now.at_s - before.at_s
    assert round(rates(before, now)["frames"] * seconds) == 10
    assert rates(before, now)["searches"] == 0


def test_dead_letters_are_listed_with_their_reason_and_put_back(broker: Broker) -> None:
    give_up(broker, 3)
    now = report(broker)
    assert now.dead == 3
    assert [(row.name, row.frame, row.error) for row in now.letters] == [
        ("evening/la_la.mp4", frame, "its crop is no square picture") for frame in range(3)
    ]
    assert act(broker, [now.letters[0].id], retry=True) == "1 put back"
    assert report(broker).dead == 2
    assert act(broker, [now.letters[0].id], retry=True) == "they are gone already"
    assert act(broker, [now.letters[1].id], retry=False) == "1 dropped"
    assert retry_all(broker) == "1 put back"
    assert work.depths(broker)["faces"] == 2
    clip = clips.get(broker, "clip-1")
    assert clip is not None
    assert clip.failed == 1
    assert counters.read(broker).counts["dead"] == 3
