"""The Training page as a browser session opens it."""

import json

import msgspec
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from services.dashboard import reelmood
from shared import runs
from shared.errors import ReelmoodError
from shared.poster.active import NOTHING_PROMOTED, Promotion, write_promotions
from shared.queues import jobs, trainings
from shared.queues.broker import Broker
from shared.queues.tasks import Task
from shared.queues.trainings import Progress, State
from shared.settings import Settings
from tests.services.dashboard.pages import OpenPage, text_of

ROWS = [{"epoch": 1, "loss": 2.0, "label_accuracy": 0.4}, {"epoch": 2, "loss": 1.5, "label_accuracy": 0.6}]


@pytest.fixture
def page(open_page: OpenPage) -> AppTest:
    """The Training page; run it to see it."""
    return open_page(_training_page)


def _training_page() -> None:
    from services.dashboard import training_panels
    from shared.settings import load_settings

    training_panels.run_list(load_settings())
    training_panels.run_page(load_settings())


def update(page: AppTest) -> None:
    st.cache_resource.clear()
    page.run()


def names_of(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def begin(broker: Broker, name: str) -> None:
    trainings.order(broker, name, b'{"dataset": "rafdb"}', 6)
    jobs.drop(broker, Task.TRAIN, name)
    assert trainings.begin(broker, name) is not None


def write_history(settings: Settings, name: str) -> None:
    (settings.runs / name).mkdir(parents=True)
    (settings.runs / name / runs.SPEC_FILE).write_text("{}")
    (settings.runs / name / runs.HISTORY_FILE).write_text(json.dumps(ROWS))
    (settings.runs / name / runs.LOG_FILE).write_text("epoch 2 of 6\n")
    confusion = runs.Confusion(epoch=2, labels=("happy", "sad"), counts={"label": [[5, 1], [0, 4]]})
    (settings.runs / name / runs.CONFUSION_FILE).write_bytes(msgspec.json.encode(confusion))


def test_a_house_without_runs_says_how_to_start_one(page: AppTest, broker: Broker) -> None:
    page.run()
    assert "no run yet" in text_of(page)
    assert "0 trainers" in text_of(page)


def test_a_run_under_way_is_shown_stopped_and_resumed(
    page: AppTest, broker: Broker, settings: Settings
) -> None:
    begin(broker, "mine")
    write_history(settings, "mine")
    trainings.tell(broker, "mine", Progress(epoch=3, epochs=6, step=4, steps=9, loss=1.25, left_s=60.0))
    page.run()
    assert "epoch 3 of 6 · step 4 of 9 · loss 1.250" in text_of(page)
    assert len(page.get("echarts_chart")) == 1
    assert page.code[0].value == "epoch 2 of 6"
    assert "confusion on the validation part after epoch 2" in [one.label for one in page.expander]
    page.button("stop-mine").click().run()
    run = trainings.get(broker, "mine")
    assert run is not None
    assert run.stopping
    trainings.end(broker, "mine", State.STOPPED)
    update(page)
    assert "stop" not in names_of(page)
    page.button("resume-mine").click().run()
    assert jobs.lengths(broker)["training"] == 1
    update(page)
    assert "no trainer is running" in text_of(page)


def test_runs_are_compared(page: AppTest, broker: Broker, settings: Settings) -> None:
    for name in ("a", "b", "c"):
        write_history(settings, name)
    page.run()
    [compared] = page.multiselect
    chosen = compared.options[0]
    compared.select(chosen).run()
    [chart] = page.get("echarts_chart")
    assert chosen in str(chart.proto)
    assert f"<td>{chosen}</td>" in text_of(page)


def test_a_failed_run_has_its_reason(page: AppTest, broker: Broker) -> None:
    begin(broker, "bad")
    trainings.end(broker, "bad", State.FAILED, error="no pictures of <fear>")
    page.run()
    assert "no pictures of &lt;fear&gt;" in text_of(page)
    assert "resume" in names_of(page)


def test_a_finished_model_can_be_promoted(
    page: AppTest, broker: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(broker, "mine")
    trainings.end(broker, "mine", State.DONE)
    (settings.models / "mine").mkdir(parents=True)
    answers: list[str | None] = [None, "mine@12345678 is the active model"]
    asked = []

    def promote(_settings: Settings, name: str) -> str:
        asked.append(name)
        answer = answers.pop(0)
        if answer is None:
            raise ReelmoodError("it does not load")
        return answer

    monkeypatch.setattr(reelmood, "promote", promote)
    page.run()
    page.button("promote-mine").click().run()
    assert [one.value for one in page.toast] == ["it does not load"]
    page.button("promote-mine").click().run()
    assert asked == ["mine", "mine"]


def test_the_active_model_can_be_rolled_back(
    page: AppTest, broker: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_history(settings, "mine")
    (settings.models / "mine").mkdir(parents=True)
    write_promotions(settings.models, [NOTHING_PROMOTED, Promotion(name="mine", id="mine@12345678")])

    def roll_back(settings: Settings) -> str:
        write_promotions(settings.models, [NOTHING_PROMOTED])
        return "nano@12345678 is the active model"

    monkeypatch.setattr(reelmood, "roll_back", roll_back)
    page.run()
    assert "promote" not in names_of(page)
    page.button("roll back-mine").click().run()
    assert [one.value for one in page.toast] == ["nano@12345678 is the active model"]
    update(page)
    assert "promote" in names_of(page)
    assert "roll back" not in names_of(page)


def test_what_was_read_stays_while_the_broker_is_away(
    page: AppTest, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(broker, "mine")
    page.run()
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://127.0.0.1:1/0")
    update(page)
    assert "does not answer" in text_of(page)
    assert "mine" in names_of(page)
