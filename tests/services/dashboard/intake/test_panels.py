"""What can be done with a clip, as a session sees it; the commands themselves have their own tests."""

import pytest
from streamlit.testing.v1 import AppTest

from services.dashboard import reelmood
from shared.errors import ReelmoodError
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import State
from shared.settings import Settings
from tests.services.dashboard.made import made_clip, start_clip
from tests.services.dashboard.pages import OpenPage, update

Calls = list[tuple[object, ...]]


def _manage() -> None:
    """The script of the dialog alone."""
    from services.dashboard.intake import panels
    from shared.settings import load_settings

    panels.manage_clip(load_settings())


@pytest.fixture
def page(open_page: OpenPage, settings: Settings) -> AppTest:
    (settings.models / "mine").mkdir(parents=True)
    (settings.models / "mine" / "config.json").write_text("{}")
    return open_page(_manage)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The commands that were run, instead of running them."""
    made: Calls = []

    def note(name: str) -> None:
        def call(_settings: Settings, *arguments: object) -> str:
            made.append((name, *arguments))
            return "done"

        monkeypatch.setattr(reelmood, name, call)

    for name in ("cancel", "rerun", "forget"):
        note(name)
    return made


def test_a_running_clip_can_be_cancelled(page: AppTest, broker: Broker, calls: Calls) -> None:
    start_clip(broker, made_clip(), started_s=1.0)
    update(page)
    page.button(key="cancel-clip-1").click()
    update(page)
    assert calls == [("cancel", "clip-1")]


def test_a_finished_clip_is_run_again_with_another_model(page: AppTest, broker: Broker, calls: Calls) -> None:
    start_clip(broker, made_clip(), started_s=1.0)
    clips.update(broker, "clip-1", state=State.DONE)
    update(page)
    page.selectbox(key="model-clip-1").select("mine")
    assert "this makes mine the model of everything" in update(page)
    page.button(key="again-clip-1").click()
    update(page)
    assert calls == [("rerun", "clip-1", "mine")]


def test_a_finished_clip_is_deleted_only_by_who_is_sure(page: AppTest, broker: Broker, calls: Calls) -> None:
    start_clip(broker, made_clip(), started_s=1.0)
    clips.update(broker, "clip-1", state=State.DONE)
    update(page)
    assert page.button(key="delete-clip-1").disabled
    page.checkbox(key="sure-clip-1").check()
    update(page)
    page.button(key="delete-clip-1").click()
    update(page)
    assert calls == [("forget", "clip-1")]


def test_what_a_command_refuses_is_shown(
    page: AppTest, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise ReelmoodError("a worker reads with <b>, not with mine")

    monkeypatch.setattr(reelmood, "rerun", refuse)
    start_clip(broker, made_clip(), started_s=1.0)
    clips.update(broker, "clip-1", state=State.FAILED)
    update(page)
    page.button(key="again-clip-1").click()
    assert "a worker reads with &lt;b&gt;, not with mine" in update(page)


def test_without_a_clip_there_is_nothing_to_manage(page: AppTest, broker: Broker) -> None:
    assert "no clip is chosen" in update(page)
