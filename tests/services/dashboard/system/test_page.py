"""The System page as a session sees it."""

import pytest
from streamlit.testing.v1 import AppTest

from shared.queues import presence, work
from shared.queues.broker import Broker, connect
from shared.queues.embedded import embedded_broker
from shared.settings import Settings
from tests.services.dashboard.pages import OpenPage, update
from tests.services.dashboard.system.test_report import give_up


def _system() -> None:
    """The script of the page alone."""
    from services.dashboard.system.page import system_page
    from shared.settings import load_settings

    system_page(load_settings())


@pytest.fixture
def page(open_page: OpenPage, settings: Settings) -> AppTest:
    settings.done.mkdir(parents=True)
    return open_page(_system)


def test_without_a_broker_models_and_disk_are_shown(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://user:secret@127.0.0.1:1/0")
    text = update(page)
    assert "trying again" in text
    assert "secret" not in text
    assert "nobody is at work" in text
    assert "<td>nano</td>" in text
    assert " free</p>" in text


def test_a_home_that_is_not_there_yet_is_one_line(page: AppTest, broker: Broker, settings: Settings) -> None:
    settings.done.rmdir()
    settings.home.rmdir()
    assert "cannot be read: No such file or directory" in update(page)


def test_services_and_queues_are_shown(page: AppTest, broker: Broker) -> None:
    presence.beat(
        broker, presence.Service(name="w-1", kind="worker", pid=1, host="h", device="cpu", note="slow")
    )
    text = update(page)
    assert "<td>w-1</td>" in text
    assert "<td>slow</td>" in text
    assert "<td>embeddings</td>" in text or "<td>queries</td>" in text
    assert "no face and no search was given up" in text


def test_a_dead_letter_is_put_back_by_its_button(page: AppTest, broker: Broker) -> None:
    give_up(broker, 12)
    text = update(page)
    assert "12 faces and searches that no worker could read" in text
    assert "the oldest 10 are shown" in text
    assert text.count("its crop is no square picture") == 10
    page.button[1].click()
    assert "11 faces and searches" in update(page)
    assert work.depths(broker)["faces"] == 1
    assert [toast.value for toast in page.toast] == ["1 put back"]
    page.button(key="retry-all").click()
    assert "no face and no search was given up" in update(page)
    assert work.depths(broker)["faces"] == 12


def test_what_was_said_last_stays_while_the_broker_is_away(
    page: AppTest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REELMOOD_REDIS_URL")
    own = settings.model_copy(update={"redis_url": None})
    with embedded_broker(own.home):
        broker = connect(own)
        give_up(broker, 1)
        update(page)
        broker.client.close()
    text = update(page)
    assert "trying again" in text
    assert "1 faces and searches" in text
