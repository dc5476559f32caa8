"""Files of a clip in a real browser without a network: the report, and the captions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from services.recorder.export import FILES, Results
from tests.services.recorder.finished import NAME, write_finished

OVERFLOWING = """[...document.querySelectorAll('body *')].filter(element =>
    element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display != 'inline'
).map(element => element.outerHTML.slice(0, 80))"""
PLAY = """captions => new Promise((resolve, reject) => {
    const video = document.createElement('video'), track = document.createElement('track')
    track.src = URL.createObjectURL(new Blob([captions], {type: 'text/vtt'}))
    track.onload = () => resolve([...track.track.cues].map(cue => [
        cue.startTime, cue.endTime, cue.getCueAsHTML().textContent, cue.getCueAsHTML().firstChild.title]))
    track.onerror = reject
    video.append(track)
    document.body.append(video)
    track.track.mode = 'hidden'
})"""


@pytest.fixture(params=[(1440, 900, "light"), (390, 844, "dark")], ids=["desk", "phone"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page without a network."""
    width, height, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, offline=True
    )
    yield context.new_page()
    context.close()


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(write_finished(tmp_path / "clip"))


def test_the_report_opens_offline_and_fits(page: Page, results: Results, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(FILES["html"](results))
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri())
    assert page.get_by_role("heading", level=1).inner_text() == NAME
    pictures = page.locator("img").evaluate_all("found => found.map(each => each.naturalWidth)")
    assert pictures == [16] * len(pictures) != []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    assert complaints == []
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_browser_reads_the_captions(page: Page, results: Results) -> None:
    cues: list[Any] = page.evaluate(PLAY, FILES["vtt"](results).decode())
    assert cues == [
        [0, 0.4, "Track 0: happy 60%", "Track 0"],
        [0.4, 0.8, "Track 0: sad 40%", "Track 0"],
        [1.2, 1.56, "Track 1: happy 60%", "Track 1"],
    ]
