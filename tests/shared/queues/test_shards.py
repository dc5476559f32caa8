"""Clips spread over shards, on one server and on a cluster of three."""

from collections import Counter

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from shared.errors import BrokerError
from shared.metrics.pipeline import PipelineCollector
from shared.queues import clips, counters, dead, jobs, persistence, presence, results, shards, work
from shared.queues.broker import Broker, connect
from shared.queues.clips import State
from shared.queues.keys import Keys
from shared.queues.presence import Service
from shared.queues.work import Outcome, Stage
from shared.settings import Settings
from tests.shared.queues.sharded import bring, make, make_groups, read, take_all

IDS = [f"clip-{number}" for number in range(12)]


def _names(broker: Broker) -> Counter[str]:
    return Counter(
        one.keys.clip(clip_id).split(":")[1] for clip_id in IDS for one in [_home(broker, clip_id)]
    )


def _home(broker: Broker, clip_id: str) -> Broker:
    return shards.home_of(broker, clip_id)


def test_clips_are_spread_and_found(several: Broker) -> None:
    for clip_id in IDS:
        make(several, clip_id)
    assert set(_names(several)) == {"{0}", "{1}", "{2}", "{3}"}
    assert [clip.id for clip in clips.recent(several, 3)] == IDS[:-4:-1]
    assert [clip.id for clip in clips.recent(several, 0)] == IDS[::-1]
    assert [clip.id for clip in clips.those(several, IDS[3:6])] == IDS[3:6]
    assert {clip.id for clip in clips.page(several, 0, 50)} == set(IDS)
    assert clips.known(several, [*IDS, "another"]) == set(IDS)
    clips.forget(several, IDS[0])
    assert clips.get(several, IDS[0]) is None
    assert len(clips.recent(several, 0)) == len(IDS) - 1


def test_the_oldest_of_all_shards_are_let_go(several: Broker) -> None:
    for clip_id in IDS:
        make(several, clip_id)
        clips.update(several, clip_id, state=State.DONE)
    assert clips.trim(several, 5) == len(IDS) - 5
    assert [clip.id for clip in clips.recent(several, 0)] == IDS[:-6:-1]


def test_faces_go_through_wherever_their_clip_is(several: Broker) -> None:
    make_groups(several)
    for clip_id in IDS:
        make(several, clip_id)
        assert bring(several, clip_id, 0, 5)
        assert bring(several, clip_id, 5, 7, last=True)
    assert work.depths(several) == {"faces": 7 * len(IDS), "queries": 0, "dead": 0}
    entries = take_all(several)
    assert work.taken(several)["faces"] == len(entries) == 7 * len(IDS)
    assert work.commit(several, Stage.FACES, [read(entry, b"query") for entry in entries]) == len(entries)
    assert work.commit(several, Stage.FACES, [read(entry) for entry in entries]) == 0
    _answer(several, len(entries))
    assert counters.read(several).counts["done"] == len(entries)
    jobs.dispatch_finished(several)
    assert jobs.lengths(several)["finish"] == len(IDS)
    for clip_id in IDS:
        clip = clips.get(several, clip_id)
        assert clip is not None
        assert (clip.state, clip.frames, clip.done, clip.explained) == (State.FINISHING, 7, 7, 7)
        assert [one.place.frame for one in results.readings(several, clip_id)[0]] == list(range(7))
        assert [one.frame for one in results.frames(several, clip_id)[0]] == list(range(7))
    assert work.depths(several) == {"faces": 0, "queries": 0, "dead": 0}


def _answer(broker: Broker, wanted: int) -> None:
    answered = 0
    while answered < wanted:
        entries = work.take(broker, Stage.QUERIES, "r", 100, 1)
        answered += work.commit(broker, Stage.QUERIES, [Outcome(entry) for entry in entries])


def test_every_shard_has_as_much_of_a_batch_as_another(several: Broker) -> None:
    make_groups(several)
    for clip_id in IDS:
        make(several, clip_id)
        bring(several, clip_id, 0, 100)
    batch = work.take(several, Stage.FACES, "w", 64, 1)
    assert Counter(entry.shard for entry in batch) == {0: 16, 1: 16, 2: 16, 3: 16}


def test_a_shard_that_has_little_leaves_the_batch_to_the_others(several: Broker) -> None:
    make_groups(several)
    little, much = _two_shards(several)
    make(several, little)
    make(several, much)
    bring(several, much, 0, 100)
    bring(several, little, 0, 3)
    batch = work.take(several, Stage.FACES, "w", 64, 1)
    assert Counter(entry.clip for entry in batch) == {little: 3, much: 61}


def _two_shards(broker: Broker) -> tuple[str, str]:
    first, *others = IDS
    return first, next(one for one in others if _home(broker, one).keys != _home(broker, first).keys)


def test_what_a_silent_reader_holds_is_taken_over_in_every_shard(several: Broker) -> None:
    make_groups(several)
    for clip_id in IDS:
        make(several, clip_id)
        bring(several, clip_id, 0, 2, last=True)
    silent = take_all(several, "silent")
    taken_over = work.reclaim(several, Stage.FACES, "peer", 0, 1000)
    assert {entry.id for entry in taken_over} == {entry.id for entry in silent}
    assert len(work.recover(several, Stage.FACES, "peer", 1000)) == len(silent)
    assert work.commit(several, Stage.FACES, [read(entry) for entry in taken_over]) == 2 * len(IDS)
    assert work.commit(several, Stage.FACES, [read(entry) for entry in silent]) == 0


def test_dead_letters_have_ids_of_their_own(several: Broker) -> None:
    make_groups(several)
    for clip_id in IDS:
        make(several, clip_id)
        bring(several, clip_id, 0, 1, last=True)
    work.commit(several, Stage.FACES, [Outcome(entry, failure="no face") for entry in take_all(several)])
    letters = list(dead.letters(several))
    assert len({letter.id for letter in letters}) == len(IDS)
    times = [int(letter.id.split("-")[0]) for letter in letters]
    assert times == sorted(times)
    assert [dead.find(several, letter.id) for letter in letters] == letters
    back, gone, *rest = letters
    assert dead.retry(several, back).is_back
    assert dead.drop(several, gone)
    assert list(dead.letters(several)) == rest
    assert [entry.clip for entry in take_all(several)] == [back.clip]
    clips.forget(several, rest[0].clip)
    assert list(dead.letters(several)) == rest[1:]


def test_what_belongs_to_no_clip_is_in_one_place(several: Broker) -> None:
    presence.beat(several, Service(name="w", kind="worker", pid=1, host="here"))
    for home in shards.every(several):
        assert [one.name for one in presence.alive(home)] == ["w"]


def test_a_clip_stays_where_it_is_when_the_number_of_shards_changes(
    settings: Settings, broker: Broker
) -> None:
    make_groups(broker)
    for clip_id in IDS:
        make(broker, clip_id)
        bring(broker, clip_id, 0, 2)
    grown = connect(settings.model_copy(update={"shards": 4}))
    make_groups(grown)
    for clip_id in IDS:
        assert not clips.create(grown, msgspec.structs.replace(_known(grown, clip_id), created_s=0))
        assert bring(grown, clip_id, 2, 3, last=True)
    make(grown, "new")
    assert _home(grown, "new").keys.shard != 0
    shrunk = connect(settings.model_copy(update={"shards": 2}))
    assert shrunk.keys.past == (1, 4)
    assert {clip.id for clip in clips.recent(shrunk, 0)} == {*IDS, "new"}
    assert clips.known(shrunk, [*IDS, "new", "another"]) == {*IDS, "new"}
    entries = take_all(shrunk)
    assert work.commit(shrunk, Stage.FACES, [read(entry) for entry in entries]) == 3 * len(IDS)
    assert {_known(shrunk, clip_id).state for clip_id in IDS} == {State.FINISHING}
    clips.forget(shrunk, "new")
    assert clips.get(grown, "new") is None
    for one in (grown, shrunk):
        one.close()


def _known(broker: Broker, clip_id: str) -> clips.Clip:
    clip = clips.get(broker, clip_id)
    assert clip is not None
    return clip


def test_one_shard_leaves_no_note(settings: Settings, broker: Broker) -> None:
    make(broker, "c1")
    assert broker.client.exists(broker.keys.layouts) == 0
    assert Keys("test").clip("c1") == "test:{0}:clip:c1"


def test_a_cluster_needs_a_server_for_the_queues(settings: Settings, cluster_url: str) -> None:
    with pytest.raises(BrokerError, match="set REELMOOD_JOBS_URL") as raised:
        connect(settings.model_copy(update={"redis_url": cluster_url}))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("password", ["", ":wrong@"])
def test_a_wrong_password_is_told(settings: Settings, cluster_url: str, password: str) -> None:
    url = f"redis+cluster://{password}{cluster_url.rpartition('@')[2]}"
    with pytest.raises(BrokerError, match=r"password|Authentication"):
        connect(settings.model_copy(update={"redis_url": url, "jobs_url": settings.redis_url}))


def test_the_metrics_are_of_all_shards_and_servers(several: Broker) -> None:
    for clip_id in IDS:
        make(several, clip_id)
        bring(several, clip_id, 0, 2)
    registry = CollectorRegistry()
    registry.register(PipelineCollector(several))
    assert registry.get_sample_value("reelmood_broker_up") == 1
    assert registry.get_sample_value("reelmood_faces_found_total") == 2 * len(IDS)
    assert registry.get_sample_value("reelmood_queue_depth", {"queue": "faces"}) == 2 * len(IDS)
    used = [server.info("memory")["used_memory"] for server in several.servers()]
    assert len(used) == (4 if several.is_cluster else 1)
    memory = registry.get_sample_value("reelmood_broker_memory_bytes")
    assert memory == pytest.approx(sum(used), rel=0.2)


def test_every_server_rewrites_its_log(several: Broker) -> None:
    make(several, "c1")
    assert persistence.compact(several, 30)
