"""The Training page in a real browser."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from shared import runs
from shared.emotions import EMOTIONS
from shared.poster.active import FIRST, active
from shared.poster.folder import BUNDLED
from shared.queues import jobs, trainings
from shared.queues.broker import Broker
from shared.queues.tasks import Task
from shared.queues.trainings import Progress, State
from shared.settings import Settings
from tests.browser.screens import keep
from tests.browser.test_dashboard import SCHEMES, SIZES, WAIT_MS, screenshot, watch


@pytest.fixture
def page(browser: Browser, dashboard: str) -> Iterator[Page]:
    """The open page of clips."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    asked, errors = watch(page)
    page.goto(dashboard)
    yield page
    page.close()
    assert {host.partition(":")[0] for host in asked} == {"127.0.0.1"}
    assert errors == []


def write_history(settings: Settings, name: str, epochs: int) -> None:
    folder = settings.runs / name
    folder.mkdir(parents=True)
    rows = [{"epoch": n, "loss": 2 / n, "label_accuracy": 1 - 1 / (n + 1)} for n in range(1, epochs + 1)]
    (folder / runs.SPEC_FILE).write_text(json.dumps({"name": name, "recipe": {"epochs": epochs}}))
    (folder / runs.HISTORY_FILE).write_text(json.dumps(rows))
    counts = [[90 if said == truth else 3 * said for said in range(7)] for truth in range(7)]
    confusion = runs.Confusion(
        epoch=epochs, labels=EMOTIONS, counts={"label": counts, "majority": counts[::-1]}
    )
    (folder / runs.CONFUSION_FILE).write_bytes(msgspec.json.encode(confusion))


def begin(broker: Broker, name: str) -> None:
    """Order a run and begin it, as a trainer does."""
    trainings.order(broker, name, b"{}", 6)
    jobs.drop(broker, Task.TRAIN, name)
    assert trainings.begin(broker, name) is not None


def tell(broker: Broker, name: str, step: int) -> None:
    progress = Progress(epoch=3, epochs=6, step=step, steps=90, loss=1.25, left_s=60.0)
    trainings.tell(broker, name, progress)


def test_a_run_is_started_followed_and_stopped(page: Page, broker: Broker, tmp_path: Path) -> None:
    page.get_by_role("link", name="Training").click()
    expect(page.get_by_text("no run yet")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="new run").click()
    page.get_by_label("name of the new model").fill("mine")
    page.get_by_label("folder or file of the data").fill(str(tmp_path))
    page.get_by_role("button", name="queue the run").click()
    expect(page.get_by_role("heading", name="mine")).to_be_visible(timeout=WAIT_MS)
    expect(page).to_have_url(re.compile(r"/training\?run=mine$"))
    assert [run.name for run in trainings.recent(broker)] == ["mine"]

    jobs.drop(broker, Task.TRAIN, "mine")
    trainings.begin(broker, "mine")
    for step in (10, 20):
        tell(broker, "mine", step)
        expect(page.get_by_text(f"step {step} of 90")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="stop", exact=True).click()
    expect(page.locator(".rm-badge").get_by_text("stopping")).to_be_visible(timeout=WAIT_MS)
    trainings.end(broker, "mine", State.STOPPED)
    expect(page.get_by_role("button", name="resume")).to_be_visible(timeout=WAIT_MS)


def test_a_model_is_promoted_and_rolled_back(page: Page, settings: Settings) -> None:
    write_history(settings, "mine", 3)
    shutil.copytree(BUNDLED / FIRST, settings.models / "mine")
    page.get_by_role("link", name="Training").click()
    promote = page.get_by_role("button", name="promote", exact=True)
    roll_back = page.get_by_role("button", name="roll back", exact=True)
    promote.click(timeout=WAIT_MS)
    expect(roll_back).to_be_visible(timeout=2 * WAIT_MS)
    expect(promote).to_have_count(0)
    assert active(settings.models).name == "mine"
    roll_back.click()
    expect(promote).to_be_visible(timeout=2 * WAIT_MS)
    assert active(settings.models).name == FIRST


def test_it_fits_a_wide_screen_in_light_and_a_narrow_one_in_dark(
    browser: Browser, dashboard: str, broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    for name, epochs in (("mine", 3), ("a-run-of-before", 6)):
        write_history(settings, name, epochs)
    begin(broker, "mine")
    for scheme, (width, height) in zip(SCHEMES, SIZES, strict=True):
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        tell(broker, "mine", 10)
        page.goto(f"{dashboard}/training?run=mine")
        chart = page.get_by_test_id("stEChartsChart")
        expect(chart).to_have_attribute("aria-busy", "false", timeout=WAIT_MS)
        page.get_by_test_id("stMultiSelect").locator("input").click()
        page.get_by_role("option", name="a-run-of-before").click()
        page.keyboard.press("Escape")
        expect(page.locator(".rm-services").get_by_text("a-run-of-before")).to_be_visible(timeout=WAIT_MS)
        page.get_by_text(re.compile("^confusion on the validation part")).click()
        tables = page.locator(".rm-confusion")
        expect(tables.last).to_be_visible(timeout=WAIT_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for element in [
            tables.first,
            tables.last,
            chart,
            page.locator(".rm-head"),
            page.get_by_role("button", name="stop", exact=True),
        ]:
            box = element.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        keep(page, f"training-{'desk' if width > height else 'phone'}-{scheme}")
        picture = screenshot(page, tmp_path / f"{width}-{scheme}.png")
        page.close()
        assert (picture.mean() < 110) == (scheme == "dark")
