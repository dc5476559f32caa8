"""Hosts without a common disk: what one puts into the store, others analyse, finish and read."""

import shutil
import threading
from pathlib import Path

import pytest

from services.dashboard.archive import archived_clips
from services.dashboard.clip import footage
from services.ingest.job import ingest
from services.ingest.retention import sweep
from services.ingest.watcher import Memory, go_round
from services.recorder.job import finish
from services.retrieval import loop as retrieval
from services.worker import loop as worker
from shared import reader, traces
from shared.metrics.loop import loop_metrics
from shared.poster.active import NOTHING_PROMOTED, Promotion, active, write_promotions
from shared.poster.folder import model_id
from shared.pulse import Pulse
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings
from shared.storage import models
from shared.storage.mirror import mirroring, pull
from shared.storage.store import Store, StoreError, open_store
from tests.integration.reelmood import eventually
from tests.s3 import new_bucket
from tests.training.untrained import write_untrained


@pytest.fixture(params=["file", "s3"])
def host(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a host that has nothing but the broker and an empty store."""
    url = f"file://{tmp_path}/store" if request.param == "file" else new_bucket(request.getfixturevalue("s3"))
    return settings.model_copy(update={"store": url, "store_poll_s": 0.02, "turn_s": 600.0})


def _at(host: Settings, name: str) -> Settings:
    """The same settings at another host."""
    return host.model_copy(update={"home": host.home.parent / name})


def _store(host: Settings) -> Store:
    store = open_store(host)
    assert store is not None
    return store


def _only(broker: Broker) -> Clip:
    [clip] = clips.recent(broker)
    return clip


def _work(settings: Settings, broker: Broker) -> None:
    """Run a worker and retrieval until the clip's every face is read and its neighbours are found."""
    stop = threading.Event()
    with mirroring(settings, with_results=True):
        services = [
            threading.Thread(target=serve, args=(settings, broker, stop, name, Pulse(), loop_metrics()))
            for name, serve in (("worker", worker.serve), ("retrieval", retrieval.serve))
        ]
        for service in services:
            service.start()
        try:
            eventually(lambda: _only(broker).state is State.FINISHING, "the end of the clip")
        finally:
            stop.set()
            for service in services:
                service.join()


def test_a_clip_goes_through_hosts_that_share_only_the_store(
    host: Settings, broker: Broker, drawn_clip: Path
) -> None:
    camera, maker, runner, reading, recorder, desk = (
        _at(host, name) for name in ("camera", "maker", "runner", "reading", "recorder", "desk")
    )
    registry = write_untrained(maker.models, "mine")
    identity = model_id(registry / "mine")
    write_promotions(maker.models, [NOTHING_PROMOTED, Promotion(name="mine", id=identity)])
    models.share_promotions(maker)

    camera.incoming.mkdir(parents=True)
    shutil.copy(drawn_clip, camera.incoming / "film.mp4")
    memory = Memory()
    with mirroring(camera):
        for now_s in (1.0, 2.0, 3.0):
            go_round(camera, broker, memory, now_s)
    clip = _only(broker)
    assert (clip.path, clip.results, clip.model) == ("incoming/film.mp4", "results", "mine")
    assert list(camera.incoming.iterdir()) == []

    assert not ingest(runner, broker, clip.id)
    assert not list((runner.home / "cache" / "clips").iterdir())
    _work(reading, broker)
    assert active(reading.models).id == identity
    finish(recorder, broker, clip.id)
    done = _only(broker)
    assert (done.state, done.path) == (State.DONE, "done/film.mp4")
    assert done.out == f"results/film-{clip.id}"

    pull(desk, with_results=True)
    [archived] = archived_clips(desk.results)
    table = reader.read(Path(archived.out))
    assert (archived.id, archived.model) == (clip.id, identity)
    assert set(table["model"].dropna()) == {identity}
    assert len(table) >= 60
    played = footage.file_of(desk, done, "original")
    assert played is not None
    assert played.read_bytes() == drawn_clip.read_bytes()
    for other in (runner, reading, recorder):
        assert not list(other.home.rglob("*.mp4"))

    subject = traces.find(desk, [done], "film.mp4")
    assert subject is not None
    traces.remove(desk, traces.locate(desk, subject))
    assert [item.key for item in _store(host).items("done")] == []
    assert [item.key for item in _store(host).items("results")] == []


def test_a_recorder_that_is_killed_while_it_publishes_is_made_good(
    host: Settings, broker: Broker, drawn_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _store(host).put(drawn_clip, "incoming/film.mp4")
    go_round(host, broker, Memory(), 1.0)
    ingest(host, broker, _only(broker).id)
    _work(host, broker)
    clip, real = _only(broker), Store.put

    def killed(store: Store, source: Path, key: str) -> None:
        if key.endswith("summary.json"):
            raise KeyboardInterrupt
        real(store, source, key)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            finish(host, broker, clip.id)
    other = _at(host, "other")
    pull(other, with_results=True)
    assert archived_clips(other.results) == []
    assert _only(broker).state is State.FINISHING
    finish(other, broker, clip.id)
    finish(host, broker, clip.id)
    pull(other, with_results=True)
    assert [one.id for one in archived_clips(other.results)] == [clip.id]
    assert [item.key for item in _store(host).items("done")] == ["done/film.mp4"]
    assert _store(host).items("incoming") == []


def test_what_cannot_be_decoded_goes_to_failed_with_its_reason(host: Settings, broker: Broker) -> None:
    _store(host).write("incoming/films/bad.mp4", b"no film")
    go_round(host, broker, Memory(), 1.0)
    ingest(_at(host, "runner"), broker, _only(broker).id)
    assert _only(broker).state is State.FAILED
    keys = [item.key for item in _store(host).items("failed")]
    assert keys == ["failed/films/bad.mp4", "failed/films/bad.mp4.error.json"]
    assert _store(host).items("incoming") == []
    late = host.model_copy(update={"retention_days": 1.0})
    assert sweep(late, broker, _store(host).items("failed")[0].modified_ns / 1e9 + 2 * 24 * 3600) >= 2
    assert _store(host).items("failed") == []


def test_a_clip_waits_for_a_store_that_is_away(
    host: Settings, broker: Broker, drawn_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _store(host).put(drawn_clip, "incoming/film.mp4")
    go_round(host, broker, Memory(), 1.0)

    def away(*_: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "fetch", away)
        assert ingest(host, broker, _only(broker).id)
    assert _only(broker).state is State.QUEUED
    assert not ingest(host, broker, _only(broker).id)
    assert _only(broker).ingested
