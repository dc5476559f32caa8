"""Clips in, the Live page and the System page in a real browser."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from services.ingest.live.camera import Order, film
from shared.messages import Box, Seen
from shared.queues import clips, presence, previews, work
from shared.queues.broker import Broker
from shared.queues.clips import State
from shared.settings import Settings
from tests.browser.screens import keep
from tests.browser.test_dashboard import SCHEMES, SIZES, WAIT_MS, screenshot, watch
from tests.clips import draw, walk, write_clip
from tests.integration.reelmood import eventually
from tests.services.dashboard.live.test_scene import preview
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip
from tests.services.dashboard.system.test_report import give_up
from tests.services.ingest.live.stream import Camera, jpegs, serving


@pytest.fixture
def page(browser: Browser, dashboard: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    asked, errors = watch(page)
    page.goto(f"{dashboard}/live")
    yield page
    page.close()
    assert {host.partition(":")[0] for host in asked} == {"127.0.0.1"}
    assert errors == []


def test_clips_come_in_are_watched_put_right_and_deleted(
    page: Page, broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    """One walk: a dashboard takes seconds to start."""
    _upload(page, settings, tmp_path)
    page.keyboard.press("Escape")
    _film(page, broker, settings)
    _retry(page, broker)
    _cancel_and_delete(page, broker)


def _upload(page: Page, settings: Settings, tmp_path: Path) -> None:
    good = write_clip(tmp_path / "evening.mp4", walk(5))
    bad = tmp_path / "notes.mp4"
    bad.write_text("no video at all")
    expect(page.get_by_text("nothing is under way")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="add clips").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([good, bad])
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("✓ evening.mp4 is waiting for its turn")).to_be_visible(timeout=WAIT_MS)
    expect(dialog.get_by_text("✗ notes.mp4: not a video")).to_be_visible(timeout=WAIT_MS)
    assert [path.name for path in settings.incoming.iterdir()] == ["evening.mp4"]
    assert (settings.incoming / "evening.mp4").read_bytes() == good.read_bytes()


def _film(page: Page, broker: Broker, settings: Settings) -> None:
    frames = [draw((60 + step, 100, 90), width=320, height=180) for step in range(20)]
    stop = threading.Event()
    with serving(Camera(jpegs(frames), rate=20)) as camera, ThreadPoolExecutor(1) as pool:
        ended = pool.submit(film, settings, broker, Order(camera.address, name="front door"), stop)
        try:
            eventually(lambda: bool(clips.recent(broker)), "the clip")
            expect(page.get_by_role("heading", name="front door")).to_be_visible(timeout=WAIT_MS)
            eventually(lambda: _seen(page, broker), "a picture with a face that is read")
            expect(page.get_by_text("behind the camera")).to_be_visible(timeout=WAIT_MS)
            page.get_by_role("button", name="stop", exact=True).click()
            assert ended.result(60) is not None
        finally:
            stop.set()
    answer_all(broker)
    [clip] = clips.recent(broker)
    assert clip.state is State.FINISHING
    expect(page.get_by_text("writing its files")).to_be_visible(timeout=WAIT_MS)


def _seen(page: Page, broker: Broker) -> bool:
    answer_all(broker)
    labels = page.locator(".rm-found span")
    return labels.count() > 0 and labels.first.inner_text(timeout=WAIT_MS).endswith("%")


def _retry(page: Page, broker: Broker) -> None:
    give_up(broker, 2)
    expect(page.get_by_role("heading", name="evening/la_la.mp4")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("link", name="System").click()
    expect(page.get_by_text("its crop is no square picture")).to_have_count(2, timeout=WAIT_MS)
    page.get_by_role("button", name="retry", exact=True).first.click()
    expect(page.get_by_text("its crop is no square picture")).to_have_count(1, timeout=WAIT_MS)
    assert work.depths(broker) == {"faces": 1, "queries": 0, "dead": 1}


def _cancel_and_delete(page: Page, broker: Broker) -> None:
    """The clip under way is the one whose face was given up."""
    page.get_by_role("link", name="Clips").click()
    expect(page.get_by_role("heading", name="evening/la_la.mp4")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="manage clip").click()
    page.get_by_role("button", name="cancel", exact=True).click()
    expect(page.get_by_text("it was cancelled").first).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="manage clip").click()
    page.get_by_text("delete its file and its results for good").click()
    page.get_by_role("button", name="delete", exact=True).click()
    expect(page.get_by_role("heading", name="evening/la_la.mp4")).to_have_count(0, timeout=WAIT_MS)
    assert [clip.name for clip in clips.recent(broker)] == ["front door"]


def test_live_and_system_fit_every_screen(
    browser: Browser, dashboard: str, broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    give_up(broker, 3, reason="it is no picture " * 8)
    settings.home.mkdir(exist_ok=True)
    running = made_clip("clip-2", "a film with a long name that goes on and on.mp4")
    start_clip(broker, running, started_s=time.time() - 10)
    picture = jpegs([draw((130, 130, 120), (280, 120, 100), width=400, height=225)])[0]
    faces = [Seen(0, Box(110, 110, 196, 196)), Seen(1, Box(368, 112, 160, 160))]
    previews.put(broker, running.id, msgspec.structs.replace(preview(0), picture=picture, faces=faces))
    commit_frames(broker, running, range(120), faces=2)
    answer_all(broker)
    worker = presence.Service(name="w-1", kind="worker", pid=1, host="h", device="cpu", model="nano@12345678")
    for scheme, (width, height) in zip(SCHEMES, SIZES, strict=True):
        for address, part in (("live", ".rm-frame"), ("system", ".rm-letter")):
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            presence.beat(broker, worker)
            page.goto(f"{dashboard}/{address}")
            expect(page.locator(part).first).to_be_visible(timeout=WAIT_MS)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for element in page.locator(f"{part}, .rm-chips, .rm-wide, .stMain button").all():
                box = element.bounding_box()
                if box is not None and box["width"]:
                    assert box["x"] >= 0
                    assert box["x"] + box["width"] <= width
            if width < 1000:
                bar = page.get_by_test_id("stHeader").bounding_box()
                chips = page.locator(".rm-chips").first.bounding_box()
                assert bar is not None
                assert chips is not None
                assert bar["y"] + bar["height"] <= chips["y"]
            keep(page, f"{address}-{'desk' if width > 1000 else 'phone'}-{scheme}")
            drawn = screenshot(page, tmp_path / f"{address}-{width}-{scheme}.png")
            page.close()
            assert (drawn.mean() < 128) == (scheme == "dark")
