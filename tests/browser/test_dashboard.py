import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect

from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import State
from shared.settings import Settings
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip

WAIT_MS = 30_000
SIZES = ((1440, 900), (390, 844))
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture
def page(browser: Browser, dashboard: str) -> Iterator[Page]:
    """An open dashboard page that asked nothing of any other machine and logged no error."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    asked, errors = watch(page)
    page.goto(dashboard)
    yield page
    page.close()
    assert asked == {urlsplit(dashboard).netloc}
    assert errors == []


def watch(page: Page) -> tuple[set[str], list[str]]:
    """Return the hosts that a page asks and the errors on its console, both growing."""
    asked: set[str] = set()
    errors: list[str] = []

    def note(url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob"):
            asked.add(urlsplit(url).netloc)

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    return asked, errors


def screenshot(target: Page | Locator, path: Path) -> NDArray[np.uint8]:
    """Write a screenshot and return it, BGR [H, W, 3]."""
    target.screenshot(path=path)
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture.astype(np.uint8)


def painted_columns(page: Page, folder: Path) -> int:
    """Return how many columns of the timeline carry colour, in pixels of a screenshot."""
    picture = screenshot(page.locator(".plot"), folder / "timeline.png")
    plot = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)[20:-4]
    colourful = (plot[..., 1] > 90).mean(axis=0)
    return int((colourful > 0.5).sum())


def test_a_clip_appears_and_its_timeline_grows_without_a_reload(
    page: Page, broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    expect(page.get_by_text(f"drop a clip into {settings.incoming}")).to_be_visible(timeout=WAIT_MS)
    page.evaluate("window.sameDocument = true")

    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(50), faces=2)
    answer_all(broker)
    expect(page.get_by_role("heading", name="evening/la_la.mp4")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("50 of 200 frames")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".plot")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".rm-card")).to_have_count(2, timeout=WAIT_MS)
    early = painted_columns(page, tmp_path)

    commit_frames(broker, clip, range(50, 150), faces=2)
    answer_all(broker)
    expect(page.get_by_text("150 of 200 frames")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".lane")).to_have_count(4, timeout=WAIT_MS)
    late = painted_columns(page, tmp_path)
    assert early > 100
    assert late > 2 * early
    assert page.evaluate("window.sameDocument") is True


def test_the_page_stays_in_place_while_it_renews_itself(page: Page, broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(50))
    answer_all(broker)
    chart = page.locator(".plot")
    expect(chart).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".rm-card")).to_be_visible(timeout=WAIT_MS)
    chart.evaluate("element => { element.dataset.mark = 'kept' }")
    where = chart.bounding_box()
    for start in range(50, 90, 10):
        commit_frames(broker, clip, range(start, start + 10))
        answer_all(broker)
        expect(page.get_by_text(f"{start + 10} of 200 frames")).to_be_visible(timeout=WAIT_MS)
        assert chart.bounding_box() == where
        assert chart.get_attribute("data-mark") == "kept"


def test_choosing_a_clip_shows_it_and_survives_a_reload(page: Page, broker: Broker) -> None:
    failed = made_clip("gone", "holiday_*film*.mkv")
    start_clip(broker, failed, started_s=1.0)
    clips.update(broker, failed.id, state=State.FAILED, error="no video stream in holiday_*film*.mkv")
    start_clip(broker, made_clip(), started_s=1.0)
    expect(page.get_by_role("heading", name="evening/la_la.mp4")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="holiday_*film*.mkv").click()
    expect(page.get_by_text("no video stream in holiday_*film*.mkv")).to_be_visible(timeout=WAIT_MS)
    expect(page).to_have_url(re.compile(r"\?clip=gone$"))
    page.reload()
    expect(page.get_by_text("no video stream in holiday_*film*.mkv")).to_be_visible(timeout=WAIT_MS)
