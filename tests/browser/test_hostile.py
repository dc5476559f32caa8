"""Names that would be scripts, in a real browser: they are shown as they are, and nothing runs."""

import json
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Dialog, expect

from services.dashboard.launch import command
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import State
from shared.settings import Settings
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip

WAIT_MS = 30_000
RUN = "window.hacked=1"
SCRIPT = f"<script>{RUN}</script>"
PICTURE = f'"><img src=x onerror="{RUN}">.mp4'
LINK = f"[here](javascript:{RUN}) <b>bold</b> $x^2$ :red[text].mp4"


def test_names_stay_text(browser: Browser, dashboard: str, broker: Broker, settings: Settings) -> None:
    failed = made_clip("failed", PICTURE)
    start_clip(broker, failed, started_s=1.0)
    clips.update(broker, failed.id, state=State.FAILED, error=SCRIPT)
    start_clip(broker, made_clip("running", LINK), started_s=2.0)
    commit_frames(broker, made_clip("running", LINK), range(50))
    answer_all(broker)
    archived = settings.results / "archived"
    archived.mkdir(parents=True)
    summary = {"id": SCRIPT, "clip": SCRIPT, "model": SCRIPT, "frames": 0, "faces": 0}
    (archived / "summary.json").write_text(json.dumps(summary))

    page = browser.new_page()
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    try:
        page.goto(f"{dashboard}/?clip=running")
        expect(page.get_by_role("heading", name=LINK, exact=True)).to_be_visible(timeout=WAIT_MS)
        for name in (PICTURE, LINK, SCRIPT):
            expect(page.get_by_role("button", name=name, exact=True)).to_be_visible(timeout=WAIT_MS)
        page.get_by_role("button", name=PICTURE, exact=True).click()
        expect(page.get_by_role("heading", name=PICTURE, exact=True)).to_be_visible(timeout=WAIT_MS)
        expect(page.get_by_text(SCRIPT, exact=True).last).to_be_visible(timeout=WAIT_MS)
        page.goto(f"{dashboard}/?clip={quote(SCRIPT)}")
        expect(page.get_by_role("heading", name=SCRIPT, exact=True)).to_be_visible(timeout=WAIT_MS)
        page.goto(f"{dashboard}/?clip={quote(PICTURE)}")
        expect(page.get_by_text("this clip is not here")).to_be_visible(timeout=WAIT_MS)
        assert page.evaluate("window.hacked") is None
        assert page.locator("a[href^='javascript'], img[src='x']").count() == 0
        assert dialogs == []
    finally:
        page.close()


@pytest.mark.parametrize(
    "option", ["server.enableCORS", "server.enableXsrfProtection", "server.enableStaticServing"]
)
def test_streamlits_own_protection_stays_on(option: str, settings: Settings) -> None:
    assert not [argument for argument in command(settings) if argument.startswith(f"--{option}")]
