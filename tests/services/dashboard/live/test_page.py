"""The Live page as a session sees it."""

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from services.dashboard.live.page import on_stage
from shared.queues import clips, presence, previews
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.queues.embedded import embedded_broker
from shared.settings import Settings
from tests.services.dashboard.live.test_scene import preview
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip
from tests.services.dashboard.pages import OpenPage, update


def _live() -> None:
    """The script of the page alone."""
    import streamlit as st

    from services.dashboard.intake import panels
    from services.dashboard.live.page import live_page
    from shared.settings import load_settings

    settings = load_settings()
    panels.add_button(settings)
    live_page(settings, st.Page(lambda: None, title="Clips"))


@pytest.fixture
def page(open_page: OpenPage) -> AppTest:
    return open_page(_live)


def test_without_a_broker_it_says_so(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://user:secret@127.0.0.1:1/0")
    text = update(page)
    assert "waiting for the broker" in text
    assert "secret" not in text


def test_without_a_clip_it_says_what_to_do(page: AppTest, broker: Broker, settings: Settings) -> None:
    text = update(page)
    assert f"drop them into {settings.incoming}" in text
    assert "reelmood camera 0" in text


def test_a_running_clip_has_picture_labels_progress_and_a_cancel_button(
    page: AppTest, broker: Broker
) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    previews.put(broker, clip.id, preview(0, 0))
    commit_frames(broker, clip, range(50))
    text = update(page)
    assert "50 of 200 frames" in text
    assert ">0 …<" in text
    answer_all(broker)
    text = update(page)
    assert ">0 …<" not in text
    assert "rm-ribbon" in text
    assert [button.label for button in page.button] == ["add clips", "open", "cancel"]


def test_a_camera_shows_its_latency_its_drops_and_a_stop_button(page: AppTest, broker: Broker) -> None:
    start_clip(broker, msgspec.structs.replace(made_clip(frames=0), live=True), started_s=1.0)
    clips.update(broker, "clip-1", latency_s=0.5, dropped={"workers_behind": 7})
    text = update(page)
    assert "0.50 s behind the camera" in text
    assert "7 dropped (workers behind)" in text
    assert page.button(key="cancel-clip-1").label == "stop"


def test_a_clip_that_is_analysed_again_starts_afresh(page: AppTest, broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(50))
    answer_all(broker)
    assert update(page).count("title=") > 0
    clips.update(broker, clip.id, state=State.FAILED)
    start_clip(broker, clip, started_s=2.0)
    assert "title=" not in update(page)


def test_clips_that_wait_are_named(page: AppTest, broker: Broker) -> None:
    assert clips.create(broker, made_clip("q", "later.mp4"))
    assert "waiting for their turn: later.mp4" in update(page)


def test_workers_and_devices_are_shown(page: AppTest, broker: Broker) -> None:
    presence.beat(
        broker, presence.Service(name="w", kind="worker", pid=1, host="h", device="cuda:0", model="nano@1")
    )
    text = update(page)
    assert "1 worker<" in text
    assert "cuda:0 · nano@1" in text


def test_a_broker_that_is_lost_leaves_what_was_shown(
    page: AppTest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REELMOOD_REDIS_URL")
    own = settings.model_copy(update={"redis_url": None})
    with embedded_broker(own.home):
        broker = connect(own)
        clip = made_clip()
        start_clip(broker, clip, started_s=1.0)
        previews.put(broker, clip.id, preview(0, 0))
        commit_frames(broker, clip, range(50))
        answer_all(broker)
        update(page)
        broker.client.close()
    text = update(page)
    assert "trying again" in text
    assert "50 of 200 frames" in text
    assert "rm-screen" in text


def test_the_stage_keeps_its_order_and_what_has_just_ended() -> None:
    def clip(clip_id: str, state: State, created_s: float, finished_s: float = 0.0) -> Clip:
        return Clip(
            id=clip_id, name="", path="p", results="", model="", state=state, created_s=created_s,
            finished_s=finished_s,
        )  # fmt: skip

    shown = on_stage(
        [
            clip("new", State.RUNNING, 5),
            clip("queued", State.QUEUED, 6),
            clip("just done", State.DONE, 4, 950),
            clip("old", State.RUNNING, 1),
            clip("long done", State.DONE, 2, 900),
        ],
        now_s=1000,
    )
    assert [one.id for one in shown] == ["old", "just done", "new"]
