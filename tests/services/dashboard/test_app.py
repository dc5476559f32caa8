import json
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import services.dashboard
from services.dashboard import cards, session
from shared.queues import clips, presence
from shared.queues.broker import Broker, connect
from shared.queues.clips import State
from shared.queues.embedded import embedded_broker
from shared.settings import Settings
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip, write_results
from tests.services.dashboard.pages import OpenPage, text_of

APP = Path(services.dashboard.__path__[0]) / "app.py"


@pytest.fixture
def page(open_page: OpenPage) -> AppTest:
    """The page as a new browser session opens it; run it to see it."""
    return open_page(APP)


def update(page: AppTest) -> None:
    """Let the page renew itself, past what it holds for the fraction of a second between two updates."""
    st.cache_resource.clear()
    page.run()


def expire_answers(page: AppTest) -> None:
    """Let the page ask the broker again over the connection that it has."""
    session._ask.clear()
    page.run()


def drawing_on(page: AppTest) -> dict[str, Any] | None:
    """What the player of a clip is given; None where there is none."""
    shown = page.get("bidi_component")
    return json.loads(shown[0].proto.json) if shown else None


def test_says_that_there_is_no_broker(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://user:secret@127.0.0.1:1/0")
    page.run()
    assert "127.0.0.1:1/0 does not answer" in text_of(page)
    assert "trying again" in text_of(page)
    assert "secret" not in text_of(page)


def test_what_was_read_stays_while_the_broker_is_away(
    page: AppTest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REELMOOD_REDIS_URL")
    own = settings.model_copy(update={"redis_url": None})
    with embedded_broker(own.home):
        broker = connect(own)
        clip = made_clip()
        start_clip(broker, clip, started_s=1.0)
        commit_frames(broker, clip, range(50))
        answer_all(broker)
        page.run()
        assert "50 of 200 frames" in text_of(page)
        broker.client.close()
    expire_answers(page)
    assert "trying again" in text_of(page)
    assert "50 of 200 frames" in text_of(page)
    assert drawing_on(page)
    with embedded_broker(own.home):
        update(page)
        assert "trying again" not in text_of(page)


def test_a_wrong_setting_is_one_line(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELMOOD_CROP_SIZE", "large")
    page.run()
    assert "REELMOOD_CROP_SIZE" in text_of(page)


def test_says_where_to_drop_a_first_clip(page: AppTest, broker: Broker, settings: Settings) -> None:
    page.run()
    assert f"drop a clip into {settings.incoming}" in text_of(page)


def test_shows_a_running_clip_and_then_what_is_new(page: AppTest, broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    presence.beat(
        broker, presence.Service(name="w-1", kind="worker", pid=1, host="h", device="cuda:0", rate=140)
    )
    page.run()
    assert "the timeline appears with the first face" in text_of(page)
    assert drawing_on(page) is None

    commit_frames(broker, clip, range(100))
    answer_all(broker)
    update(page)
    assert drawing_on(page)
    assert "100 of 200 frames" in text_of(page)
    assert "140 faces/s" in text_of(page)
    assert "cuda:0" in text_of(page)
    assert "rain.mp4" in text_of(page)
    assert len(page.session_state["view"][1].time_s) == 85

    commit_frames(broker, clip, range(100, 150))
    answer_all(broker)
    update(page)
    assert "150 of 200 frames" in text_of(page)
    assert len(page.session_state["view"][1].time_s) == 120


def test_without_a_gallery_it_says_when_neighbours_come(page: AppTest, broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(20))
    answer_all(broker, gallery=False)
    page.run()
    assert cards.NO_GALLERY in text_of(page)


def test_a_finished_clip_is_read_from_its_files(page: AppTest, broker: Broker, settings: Settings) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(200), faces=2, last=True)
    answer_all(broker)
    write_results(broker, clip, settings.results)
    broker.client.flushall()
    page.run()
    assert "evening/la_la.mp4" in text_of(page)
    assert ">done<" in text_of(page)
    assert drawing_on(page)
    assert "rain.mp4" in text_of(page)


def test_nothing_is_lost_when_a_running_clip_finishes(
    page: AppTest, broker: Broker, settings: Settings
) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(200), last=True)
    answer_all(broker)
    page.run()
    before = page.session_state["view"][1]
    folder = write_results(broker, clip, settings.results)
    clips.update(broker, clip.id, state=State.DONE, out=str(folder))
    broker.client.delete(broker.keys.readings(clip.id))
    update(page)
    after = page.session_state["view"][1]
    assert after.archived
    assert sorted(after.time_s) == sorted(before.time_s)
    assert drawing_on(page)


def test_a_failed_clip_says_why(page: AppTest, broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    clips.update(broker, clip.id, state=State.FAILED, error="no video stream in <b>la_la.mp4")
    page.run()
    assert "no video stream in &lt;b&gt;la_la.mp4" in text_of(page)


def test_a_clip_without_faces_says_so(page: AppTest, broker: Broker, settings: Settings) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(20), faces=0, last=True)
    folder = write_results(broker, clip, settings.results)
    clips.update(broker, clip.id, state=State.DONE, out=str(folder))
    page.run()
    assert "no face was found in this clip" in text_of(page)


def test_files_that_are_gone_are_one_line(page: AppTest, broker: Broker, tmp_path: Path) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    clips.update(broker, clip.id, state=State.DONE, out=str(tmp_path / "gone"))
    page.run()
    assert f"the files in {tmp_path / 'gone'} cannot be read" in text_of(page)


def test_a_picture_has_a_face_and_no_timeline(page: AppTest, broker: Broker) -> None:
    clip = made_clip(name="portrait.jpg", frames=1)
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(1), last=True)
    answer_all(broker)
    page.run()
    assert "rm-card" in text_of(page)
    assert drawing_on(page) is None


def test_the_chosen_clip_stays_when_another_arrives(page: AppTest, broker: Broker) -> None:
    start_clip(broker, made_clip("first", "first.mp4"), started_s=1.0)
    page.run()
    assert page.query_params["clip"] == "first"
    start_clip(broker, made_clip("second", "second.mp4"), started_s=1.0)
    update(page)
    assert "<h2>first.mp4</h2>" in text_of(page)
    page.button(key="clip-second").click()
    update(page)
    assert page.query_params["clip"] == "second"
    assert "<h2>second.mp4</h2>" in text_of(page)


def test_an_address_with_an_unknown_clip_is_no_error(page: AppTest, broker: Broker) -> None:
    start_clip(broker, made_clip(), started_s=1.0)
    page.query_params["clip"] = "elsewhere"
    page.run()
    assert "this clip is not here" in text_of(page)


def test_a_clip_that_is_run_again_starts_afresh(page: AppTest, broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(50))
    answer_all(broker)
    page.run()
    clips.update(broker, clip.id, state=State.FAILED)
    start_clip(broker, clip, started_s=2.0)
    update(page)
    assert len(page.session_state["view"][1].time_s) == 0


def test_the_face_shown_is_chosen_from_the_tracks(page: AppTest, broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(50), faces=2)
    answer_all(broker)
    page.run()
    assert page.selectbox[0].options == ["main face of each shot", "all faces", "track 0", "track 1"]
    page.selectbox[0].select_index(3).run()
    commit_frames(broker, clip, range(50, 150), faces=2)
    answer_all(broker)
    update(page)
    assert page.selectbox[0].options[2:] == ["track 0", "track 1", "track 10", "track 11"]
    assert page.selectbox[0].value == 1
