import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
import webvtt
from msgspec.structs import replace
from playwright.sync_api import Browser, Locator, Page, expect

from services.recorder.thumbnails import THUMBNAILS, write_thumbnails
from shared.captions import CAPTIONS
from shared.people import Note, load
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import State
from shared.settings import Settings
from tests.browser.conftest import running_dashboard
from tests.browser.screens import keep
from tests.browser.test_dashboard import SCHEMES, SIZES, WAIT_MS, watch
from tests.clips import draw, write_clip
from tests.services.dashboard.made import (
    FPS,
    answer_all,
    commit_frames,
    explanation_of,
    made_clip,
    start_clip,
    write_results,
)

FRAMES = 200
TABS = {
    "Summary": ".st-key-moments button",
    "People": ".st-key-name-clip-1-0 input",
    "Notes": ".st-key-note-clip-1 input",
}


@pytest.fixture
def folder(broker: Broker, settings: Settings) -> Path:
    """The results of a finished clip, whose file lies in `done/`: two faces in each of two shots."""
    film = settings.done / "evening" / "la_la.mp4"
    places = ((80 + 60 * number / FRAMES, 90, 110) for number in range(FRAMES))
    write_clip(film, (draw(place, (230, 95, 90), width=320, height=180) for place in places), rate=FPS)
    clip = msgspec.structs.replace(made_clip(frames=FRAMES), path=str(film.absolute()))
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(FRAMES), faces=2, last=True)
    answer_all(broker)
    out = write_results(broker, clip, settings.results)
    faces = {track: explanation_of(0, track % 10).aligned for track in (0, 1, 10, 11)}
    write_thumbnails(out / THUMBNAILS, faces)
    clips.update(broker, clip.id, state=State.DONE, out=str(out), finished_s=9.0, frames=FRAMES)
    return out


@pytest.fixture
def page(browser: Browser, dashboard: str, folder: Path) -> Iterator[Page]:
    """The page of the clip, which asks nothing of any other machine and logs no error."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    asked, errors = watch(page)
    page.goto(dashboard)
    expect(plot_of(page)).to_be_visible(timeout=WAIT_MS)
    page.wait_for_function(f"{VIDEO}.readyState >= 2")
    yield page
    page.close()
    assert asked == {urlsplit(dashboard).netloc}
    assert errors == []


VIDEO = "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot.querySelector('video')"


def plot_of(page: Page) -> Locator:
    return page.get_by_role("slider", name="position in the clip")


def lanes_of(page: Page) -> Locator:
    return page.locator(".lane")


def cursor_s(page: Page) -> float:
    return float(plot_of(page).get_attribute("aria-valuenow") or "nan")


def test_timeline_and_video_move_each_other(page: Page) -> None:
    box = plot_of(page).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_function(f"Math.abs({VIDEO}.currentTime - 6) < 0.1 && !{VIDEO}.seeking")
    expect(page.get_by_text("track 10").last).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".rm-card header span").first).to_have_text(re.compile("0:0[56]"), timeout=WAIT_MS)

    page.keyboard.press("Home")
    page.wait_for_function(f"{VIDEO}.currentTime < 0.1 && !{VIDEO}.seeking")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"Math.abs({VIDEO}.currentTime - 0.041) < 0.005")
    assert cursor_s(page) == pytest.approx(1 / FPS, abs=0.01)

    page.evaluate(f"{VIDEO}.play()")
    page.wait_for_function(
        "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
        ".querySelector('[role=slider]').getAttribute('aria-valuenow') > 0.4"
    )
    page.keyboard.press(" ")
    page.wait_for_function(f"{VIDEO}.paused")
    assert cursor_s(page) == pytest.approx(page.evaluate(f"{VIDEO}.currentTime"), abs=0.1)


def test_names_merges_and_notes_outlive_the_dashboard(
    page: Page, browser: Browser, settings: Settings, folder: Path, port: int
) -> None:
    page.get_by_role("tab", name="People").click()
    lanes_of(page).nth(2).click()
    expect(lanes_of(page).nth(2)).to_have_attribute("aria-pressed", "true", timeout=WAIT_MS)
    lanes_of(page).nth(2).click()
    expect(lanes_of(page).nth(2)).to_have_attribute("aria-pressed", "false", timeout=WAIT_MS)
    lanes_of(page).nth(2).click()
    expect(lanes_of(page).nth(2)).to_have_attribute("aria-pressed", "true", timeout=WAIT_MS)
    name = page.locator(".st-key-name-clip-1-10 input")
    name.fill("Mia <i>")
    name.press("Enter")
    expect(lanes_of(page).nth(2)).to_have_text("Mia <i>", timeout=WAIT_MS)

    page.locator(".st-key-merge-clip-1-10 input").click()
    page.get_by_role("option", name="track 0").click()
    expect(lanes_of(page)).to_have_text(["Mia <i>", "track 1", "track 11"], timeout=WAIT_MS)

    lanes_of(page).nth(1).click()
    expect(lanes_of(page).nth(1)).to_have_attribute("aria-pressed", "true", timeout=WAIT_MS)
    field = page.locator(".st-key-name-clip-1-1 input")
    expect(field).to_have_count(1, timeout=WAIT_MS)
    expect(field).to_have_value("")
    page.get_by_role("button", name="hide", exact=True).click()
    expect(lanes_of(page)).to_have_text(["Mia <i>", "track 11"], timeout=WAIT_MS)

    plot_of(page).focus()
    page.keyboard.press("End")
    page.get_by_role("tab", name="Notes").click()
    note = page.get_by_label("note at 0:08.0")
    expect(note).to_be_visible(timeout=WAIT_MS)
    note.fill("the end")
    note.press("Enter")
    expect(page.get_by_role("button", name="note at 0:08.0: the end")).to_be_visible(timeout=WAIT_MS)

    said = load(folder)
    assert (said.names, said.merged, said.notes) == ({0: "Mia <i>"}, {10: 0}, (Note(7.96, "the end"),))
    assert said.hidden == {1}
    assert {cue.voice for cue in webvtt.read(str(folder / CAPTIONS)).captions} == {
        "Mia &lt;i&gt;",
        "Track 11",
    }
    with running_dashboard(settings, port + 1) as again:
        other = browser.new_page(viewport={"width": 1440, "height": 900})
        other.goto(again)
        expect(lanes_of(other)).to_have_text(["Mia <i>", "track 11"], timeout=WAIT_MS)
        mark = other.get_by_role("button", name="note at 0:08.0: the end")
        expect(mark).to_be_visible()
        mark.click()
        expect(plot_of(other)).to_have_attribute("aria-valuetext", "0:08.0", timeout=WAIT_MS)
        other.get_by_role("tab", name="Notes").click()
        other.get_by_role("button", name="erase").click()
        expect(mark).to_have_count(0, timeout=WAIT_MS)
        other.get_by_role("tab", name="People").click()
        other.get_by_role("button", name="track 1", exact=True).click()
        expect(lanes_of(other)).to_have_text(["Mia <i>", "track 1", "track 11"], timeout=WAIT_MS)
        other.close()
    assert load(folder) == replace(said, notes=(), hidden=frozenset())


def test_lines_and_smoothing_are_views_that_outlive_what_is_done_on_the_page(page: Page) -> None:
    paths = page.locator(".plot svg path[d$=Z]")
    expect(paths.first).to_be_attached()
    plot_of(page).focus()
    page.keyboard.press("End")
    shares = page.locator(".bars").inner_text()
    assert "%" in shares

    page.get_by_role("radio", name="lines").click()
    expect(paths).to_have_count(0, timeout=WAIT_MS)
    expect(page.locator(".bars")).to_have_text(shares, use_inner_text=True)
    smoothing = page.get_by_role("slider", name="smoothed over")
    smoothing.focus()
    page.keyboard.press("End")
    expect(page.locator(".bars")).not_to_have_text(shares, use_inner_text=True, timeout=WAIT_MS)

    lanes_of(page).nth(0).click()
    expect(lanes_of(page).nth(0)).to_have_attribute("aria-pressed", "true", timeout=WAIT_MS)
    expect(paths).to_have_count(0)
    expect(smoothing).to_have_attribute("aria-valuetext", "5 s")
    lanes_of(page).nth(0).click()
    expect(lanes_of(page).nth(0)).to_have_attribute("aria-pressed", "false", timeout=WAIT_MS)
    smoothing.focus()
    page.keyboard.press("Home")
    expect(page.locator(".bars")).to_have_text(shares, use_inner_text=True, timeout=WAIT_MS)
    page.get_by_role("radio", name="stacked").click()
    expect(paths.first).to_be_attached(timeout=WAIT_MS)


def test_a_clip_that_no_browser_plays_still_has_a_cursor(
    folder: Path, settings: Settings, browser: Browser, dashboard: str
) -> None:
    (settings.done / "evening" / "la_la.mp4").write_bytes(b"no film" * 999)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{dashboard}/?clip=clip-1&t=6")
    expect(page.get_by_text("this browser cannot play the clip")).to_be_visible(timeout=WAIT_MS)
    expect(plot_of(page)).to_have_attribute("aria-valuetext", "0:06.0", timeout=WAIT_MS)
    expect(page.locator(".rm-card")).to_have_count(2, timeout=WAIT_MS)
    page.close()


def test_it_fits_every_screen_in_light_and_dark(browser: Browser, dashboard: str, folder: Path) -> None:
    for scheme, (width, height) in product(SCHEMES, SIZES):
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.goto(f"{dashboard}/?clip=clip-1&t=2")
        expect(lanes_of(page)).to_have_count(4, timeout=WAIT_MS)
        expect(page.locator(".rm-card")).to_have_count(2, timeout=WAIT_MS)
        page.wait_for_function(f"{VIDEO}.readyState >= 2 && !{VIDEO}.seeking")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        parts = page.locator(".stage, .bars, .plot, .lane, .rm-card, .axis span")
        for box in [part.bounding_box() for part in parts.all()]:
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width + 0.5
        name = f"clip-{'desk' if width > 1000 else 'phone'}-{scheme}"
        keep(page, name)
        for tab, part in TABS.items() if scheme == "light" else ():
            page.get_by_role("tab", name=tab).click()
            expect(page.locator(part).first).to_be_visible(timeout=WAIT_MS)
            keep(page, f"{name}-{tab.lower()}")
        page.close()
