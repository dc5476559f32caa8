"""Search and Review in a real browser: from a face to its moment, and ten faces decided with the keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from shared import corrections
from shared.emotions import EMOTIONS
from shared.folders import content_digest
from shared.queues import trainings
from shared.queues.broker import Broker
from shared.settings import Settings
from tests.browser.screens import keep
from tests.browser.test_dashboard import SCHEMES, SIZES, WAIT_MS, screenshot, watch
from tests.services.dashboard.library.made import Seen, finish_clip, sharp_face

DECIDED = "10 of 14 decided and saved"
PAGES = {"search": "search", "found": "search?like=evening&track=0&frame=0", "review": "review"}


@pytest.fixture
def clips(settings: Settings) -> None:
    """Two finished clips: one with sure faces, one with unsure ones, each of a track of its own."""
    finish_clip(settings.results, "evening", [Seen(), Seen("sad", 0.8, direction=(3, 1, 0), track=1)])
    unsure = [
        Seen(EMOTIONS[n % 7], 0.31 + n / 1000, 0.3, direction=(2, 1, n / 20), track=n, agrees=n % 2 == 0)
        for n in range(14)
    ]
    finish_clip(settings.results, "rain", unsure)


@pytest.fixture
def page(clips: None, browser: Browser, dashboard: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    asked, errors = watch(page)
    page.goto(dashboard)
    yield page
    page.close()
    assert {host.partition(":")[0] for host in asked} == {"127.0.0.1"}
    assert errors == []


def test_from_a_face_to_the_moments_like_it_and_into_their_clip(page: Page) -> None:
    page.get_by_role("link", name="Search").click()
    page.get_by_role("link", name="moments like this happy face in evening.mp4").click()
    expect(page.get_by_role("heading", name="Moments like this one")).to_be_visible(timeout=WAIT_MS)
    hits = page.locator(".rm-hit")
    expect(hits).to_have_count(15)
    expect(hits.first).to_contain_text("0.95")
    page.get_by_role("button", name="sad", exact=True).click()
    expect(hits).to_have_count(3)
    page.get_by_role("link", name="show evening.mp4 at 0:00.0").click()
    expect(page).to_have_url(re.compile(r"/\?clip=evening&t=0\.040$"))
    expect(page.get_by_role("heading", name="evening.mp4")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("link", name="find alike").first.click()
    expect(page.get_by_role("heading", name="Moments like this one")).to_be_visible(timeout=WAIT_MS)


def test_a_picture_from_outside_is_searched_once_it_is_analysed(page: Page, settings: Settings) -> None:
    page.get_by_role("link", name="Search").click()
    picture = page.locator("input[type=file]")
    picture.set_input_files({"name": "bad.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    expect(page.locator(".rm-note")).to_be_visible(timeout=WAIT_MS)
    picture.set_input_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": sharp_face()})
    expect(page.get_by_text("it waits to be taken in")).to_be_visible(timeout=WAIT_MS)
    [taken] = [path for path in settings.incoming.iterdir() if path.is_file()]
    finish_clip(settings.results, "me", [Seen()], content=content_digest(taken))
    expect(page.get_by_role("heading", name="Moments like this one")).to_be_visible(timeout=WAIT_MS)
    expect(page).to_have_url(re.compile(r"/search\?like=me&track=0&frame=0$"))


def test_ten_faces_are_corrected_with_the_keyboard_and_trained_on(
    page: Page, broker: Broker, settings: Settings
) -> None:
    page.get_by_role("link", name="Review").click()
    faces = page.get_by_role("option")
    expect(faces).to_have_count(14, timeout=WAIT_MS)
    expect(page.get_by_role("listbox")).to_be_focused()
    for key in ("1", "2", "3", "4", "5", "6", "7", "Enter", " ", "ArrowRight", "3"):
        page.keyboard.press(key)
    expect(page.get_by_text(DECIDED)).to_be_visible(timeout=WAIT_MS)
    first = [*EMOTIONS, EMOTIONS[0], EMOTIONS[1], "fear"]
    kept = corrections.read(settings.corrections)
    assert [(one.frame, one.label) for one in kept] == list(zip([*range(9), 10], first, strict=True))
    page.keyboard.press("Backspace")
    expect(page.get_by_text("9 of 14 decided")).to_be_visible(timeout=WAIT_MS)
    page.keyboard.press("6")
    expect(page.get_by_text(DECIDED)).to_be_visible(timeout=WAIT_MS)
    assert {one.frame: one.label for one in corrections.read(settings.corrections)}[10] == "sad"
    page.keyboard.press("0")
    page.get_by_role("button", name="no face").click()
    expect(page.get_by_text("12 of 14 decided")).to_be_visible(timeout=WAIT_MS)
    labels = {one.frame: one.label for one in corrections.read(settings.corrections)}
    assert labels[11] == labels[12] == corrections.NO_FACE

    page.reload()
    expect(faces).to_have_count(2, timeout=WAIT_MS)
    expect(page.get_by_text("2 no face, left out of training")).to_be_visible()
    page.get_by_role("button", name="train on them").click()
    page.get_by_label("name of the new model").fill("corrected")
    page.get_by_role("button", name="queue the run").click()
    page.get_by_role("link", name="follow it on the Training page").click()
    expect(page.get_by_role("heading", name="corrected")).to_be_visible(timeout=WAIT_MS)
    [run] = trainings.recent(broker)
    assert '"dataset":"corrections"' in run.spec


def test_they_fit_a_wide_screen_in_light_and_a_narrow_one_in_dark(
    clips: None, browser: Browser, dashboard: str, tmp_path: Path
) -> None:
    for scheme, (width, height) in zip(SCHEMES, SIZES, strict=True):
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        for name, path in PAGES.items():
            page.goto(f"{dashboard}/{path}")
            faces = page.get_by_role("option") if name == "review" else page.locator(".rm-hit")
            expect(faces.first).to_be_visible(timeout=WAIT_MS)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for box in [face.bounding_box() for face in faces.all()]:
                assert box is not None
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
            picture = screenshot(page, tmp_path / f"{name}-{width}-{scheme}.png")
            keep(page, f"{name}-{'desk' if width > height else 'phone'}-{scheme}")
            assert (picture.mean() < 110) == (scheme == "dark")
        page.close()
