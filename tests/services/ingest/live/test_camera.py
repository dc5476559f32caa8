import base64
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from services.ingest.live import session
from services.ingest.live.camera import Order, film
from services.ingest.oversight import Oversight, oversee
from services.recorder.job import finish
from shared.errors import BrokerAwayError
from shared.queues import clips, jobs, presence, previews, work
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.queues.embedded import embedded_broker
from shared.settings import Settings
from shared.video import open_clip
from tests.clips import walk
from tests.integration.reelmood import eventually
from tests.services.dashboard.made import answer_all
from tests.services.ingest.live.stream import Camera, jpegs, serving


@pytest.fixture
def camera() -> Iterator[Camera]:
    with serving(Camera(jpegs(walk(30)))) as served:
        yield served


@contextmanager
def filming(
    settings: Settings, broker: Broker, order: Order
) -> Iterator[tuple[Callable[[], Clip], threading.Event, "Future[Clip | None]"]]:
    """Film in a thread; yields what reads the clip, what stops it, and its end."""
    stop = threading.Event()

    def clip() -> Clip:
        [known] = clips.recent(broker)
        return known

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(film, settings, broker, order, stop)
        try:
            eventually(lambda: bool(clips.recent(broker)) or ended.done(), "the clip")
            yield clip, stop, ended
        finally:
            stop.set()


def test_a_live_source_becomes_a_clip_with_all_its_files(
    settings: Settings, broker: Broker, camera: Camera
) -> None:
    order = Order(camera.address, name="front door", record=True)
    with filming(settings, broker, order) as (clip, stop, ended):
        eventually(lambda: bool(presence.alive(broker)), "the heartbeat")
        assert (clip().live, clip().state, clip().name) == (True, State.RUNNING, "front door.mp4")
        [service] = presence.alive(broker)
        assert (service.kind, service.device) == ("camera", camera.address.rpartition("/")[0])

        def seen() -> bool:
            answer_all(broker)
            return clip().done >= 20 and clip().latency_s > 0

        eventually(seen, "faces that were read, and their latency")
        assert previews.after(broker, clip().id)[0][0].faces
        stop.set()
        assert ended.result(60) is not None
    answer_all(broker)
    over = clip()
    assert (over.state, over.ingested) == (State.FINISHING, True)
    assert (over.width, over.height) == (160, 120)
    assert over.latency_s < 60
    assert presence.alive(broker) == []

    finish(settings, broker, over.id)
    results = settings.results / "front door"
    timeline = pd.read_parquet(results / "timeline.parquet")
    summary = json.loads((results / "summary.json").read_text())
    assert timeline["frame"].nunique() == over.frames == summary["frames"]
    assert timeline["track"].nunique() == 1
    gaps = timeline["frame"].max() + 1 - over.frames
    assert summary["dropped"]["frame_lost"] == 0
    assert sum(summary["dropped"].values()) >= gaps
    recorded = settings.done / "front door.mp4"
    with open_clip(recorded) as footage:
        shown = [frame.time_s for frame in footage.frames]
    assert len(shown) > timeline["frame"].max()
    first, last = timeline["time_s"].iloc[0], timeline["time_s"].iloc[-1]
    at_first, at_last = (shown[int(timeline["frame"].iloc[row])] for row in (0, -1))
    assert (at_first, at_last) == pytest.approx((first, last), abs=0.01)
    assert summary["content"].startswith(f"{recorded.stat().st_size}-")
    assert clip().path == str(recorded.absolute())


def test_with_workers_that_are_too_slow_frames_are_dropped_and_counted(
    settings: Settings, broker: Broker, camera: Camera
) -> None:
    narrow = settings.model_copy(update={"live_high_water": 5})
    with filming(narrow, broker, Order(camera.address)) as (clip, stop, ended):
        eventually(lambda: clip().dropped.get("workers_behind", 0) > 3, "dropped frames")
        assert clip().faces <= 5
        assert work.depths(broker)["faces"] <= 5
        answer_all(broker)
        eventually(lambda: clip().faces > 5, "frames after the faces were read")
        stop.set()
        over = ended.result(60)
    assert over is not None
    assert over.dropped["workers_behind"] > 3
    answer_all(broker)
    finish(settings, broker, over.id)
    [summary] = [json.loads(path.read_text()) for path in settings.results.glob("*/summary.json")]
    assert summary["dropped"]["workers_behind"] == over.dropped["workers_behind"]


def test_a_stream_that_breaks_off_goes_on_in_the_same_clip(
    settings: Settings, broker: Broker, camera: Camera
) -> None:
    camera.length = 5
    with filming(settings, broker, Order(camera.address)) as (clip, stop, ended):

        def again() -> bool:
            answer_all(broker)
            return camera.asked >= 3 and clip().frames > 10

        eventually(again, "the third connection")
        stop.set()
        over = ended.result(60)
    assert over is not None
    assert len(clips.recent(broker)) == 1
    assert any(warning.startswith("the source broke off") for warning in over.warnings)


def test_a_clip_that_is_asked_to_end_ends_its_source(
    settings: Settings, broker: Broker, camera: Camera
) -> None:
    with filming(settings, broker, Order(camera.address)) as (clip, _, ended):
        clips.update(broker, clip().id, stopping=True)
        over = ended.result(60)
    assert over is not None
    assert over.ingested


def test_a_clip_that_is_forgotten_ends_its_source_and_its_recording(
    settings: Settings, broker: Broker, camera: Camera
) -> None:
    with filming(settings, broker, Order(camera.address, record=True)) as (clip, _, ended):
        clips.forget(broker, clip().id)
        assert ended.result(60) is None
    assert clips.recent(broker) == []
    assert not [path for path in settings.home.rglob("*") if path.is_file()]


def test_a_broker_that_is_away_at_the_end_costs_neither_the_end_nor_the_recording(
    settings: Settings, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_PATIENCE_S", 0)
    own = settings.model_copy(update={"redis_url": None})
    order, stop = Order(camera.address, name="front door", record=True), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        try:
            with embedded_broker(own.home):
                broker = connect(own)
                ended = pool.submit(film, own, broker, order, stop)
                eventually(lambda: bool(clips.recent(broker)), "the clip")
        finally:
            stop.set()
        with pytest.raises(BrokerAwayError, match="the end of the live source is not noted"):
            ended.result(60)
    with open_clip(own.done / "front door.mp4") as footage:
        assert list(footage.frames)


def test_the_password_stands_nowhere(
    settings: Settings, broker: Broker, camera: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    camera.authorization = f"Basic {base64.b64encode(b'user:s3cret').decode()}"
    camera.length = 5
    address = camera.address.replace("://", "://user:s3cret@") + "?token=s3cret"
    with filming(settings, broker, Order(address, record=True)) as (clip, stop, ended):
        eventually(lambda: bool(camera.asked >= 2), "the second connection")
        held = [broker.client.hgetall(broker.keys.clip(clip().id)), presence.alive(broker)]
        stop.set()
        ended.result(60)
    assert "s3cret" not in caplog.text + repr(held) + repr(clips.recent(broker))
    assert camera.address.split("/")[2] in caplog.text
    assert not [path for path in settings.home.rglob("*") if "s3cret" in path.name]


def test_a_source_whose_process_was_killed_is_ended_by_the_watcher(
    settings: Settings, broker: Broker
) -> None:
    clip = Clip(
        id="killed",
        name="yard",
        path="/nowhere",
        results="/nowhere",
        model="nano",
        keep_source=True,
        live=True,
    )
    clips.create(broker, clip)
    clips.update(broker, clip.id, state=State.RUNNING)
    memory = Oversight()
    service = presence.Service(name=presence.live_name(clip.id), kind="camera", pid=1, host="h")
    presence.beat(broker, service)
    for now_s in (0.0, 100.0):
        oversee(settings, broker, memory, now_s)
    presence.leave(broker, service.name)
    for now_s in (200.0, 214.0):
        oversee(settings, broker, memory, now_s)
    still = clips.get(broker, clip.id)
    assert still is not None
    assert still.state is State.RUNNING
    oversee(settings, broker, memory, 216.0)
    ended = clips.get(broker, clip.id)
    assert ended is not None
    assert ended.state is State.FINISHING
    assert ended.warnings == ["the process that read its source was lost"]
    assert jobs.lengths(broker)["clips"] == 0
    assert not Path("/nowhere").exists()
