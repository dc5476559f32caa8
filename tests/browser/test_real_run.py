"""One real run, as a person sees it: `reelmood up`, a clip that comes in by the page, the bundled model."""

import re
import socket
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.test_clip import VIDEO, cursor_s, lanes_of, plot_of
from tests.browser.test_dashboard import WAIT_MS, watch
from tests.clips import draw, write_clip
from tests.integration.reelmood import eventually, up

LONG_MS = 4 * WAIT_MS


def test_a_clip_comes_in_is_read_played_named_and_searched(
    browser: Browser, tmp_path: Path, port: int
) -> None:
    one = [draw((80 + number, 90, 90), width=320, height=180) for number in range(40)]
    two = [draw((80, 90, 90), (230, 90, 90), width=320, height=180, background=(20, 60, 20))] * 40
    clip = write_clip(tmp_path / "evening.mp4", [*one, *two])
    with up(tmp_path / "home", port=port, REELMOOD_STABLE_S="0.1") as running:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        asked, errors = watch(page)
        eventually(lambda: _listens(port), "the dashboard")
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_role("button", name="add clips").click(timeout=LONG_MS)
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(clip)
        expect(page.get_by_text("✓ evening.mp4 is waiting for its turn")).to_be_visible(timeout=LONG_MS)
        page.keyboard.press("Escape")
        expect(page.get_by_role("heading", name="evening.mp4")).to_be_visible(timeout=LONG_MS)
        expect(page.locator(".rm-badge.rm-done")).to_be_visible(timeout=LONG_MS)
        expect(lanes_of(page)).to_have_count(3, timeout=WAIT_MS)
        page.wait_for_function(f"{VIDEO}.readyState >= 2")

        plot_of(page).focus()
        page.keyboard.press("End")
        page.wait_for_function(f"{VIDEO}.currentTime > 3 && !{VIDEO}.seeking")
        assert cursor_s(page) > 3
        expect(page.locator(".rm-card")).to_have_count(2, timeout=WAIT_MS)
        page.get_by_role("tab", name="People").click()
        name = page.get_by_label("name", exact=True)
        name.fill("Mia")
        name.press("Enter")
        expect(lanes_of(page).first).to_have_text("Mia", timeout=WAIT_MS)
        captions = tmp_path / "home" / "results" / "evening" / "emotions.vtt"
        assert "<v Mia>" in captions.read_text()

        page.get_by_role("tab", name="At the cursor").click()
        page.get_by_role("link", name="find alike").first.click()
        expect(page.get_by_role("heading", name="Moments like this one")).to_be_visible(timeout=LONG_MS)
        page.locator(".rm-hit a").first.click()
        expect(page).to_have_url(re.compile(r"/\?clip=[0-9a-f]+&t="))
        expect(page.get_by_role("heading", name="evening.mp4")).to_be_visible(timeout=WAIT_MS)
        page.close()
    assert asked == {f"127.0.0.1:{port}"}
    assert errors == []
    assert "Traceback" not in running.log.read_text().partition("stopping")[0]


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
