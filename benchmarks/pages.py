"""The dashboard's pages: how soon one shows in a browser, and what an update costs the server."""

import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from benchmarks.broker import work_off
from benchmarks.house import House, house
from benchmarks.machine import Machine, describe_machine
from benchmarks.timing import Tell, percentile
from shared.errors import ReelmoodError
from shared.messages import Box, Face, Frame, Place, Reading, decode, encode
from shared.queues import clips, produce
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.embedded import free_port
from shared.queues.work import Entry, Outcome
from shared.settings import load_settings

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

_FPS: Final = 25
_SHOT: Final = 250
"""Frames of a shot, and so faces of a track."""
_COMMIT: Final = 250
_MODEL: Final = "bench@00000000"
_WAIT_MS: Final = 60_000
_LOOK_S: Final = 0.05
_POLL_MS: Final = 10
# Playwright's own waiting looks twice a second after a while, and its page functions see no shadow root.
_SHOWS: Final = """selector => {
  const find = root =>
    root.querySelector(selector) ??
    [...root.querySelectorAll("*")].map(each => each.shadowRoot && find(each.shadowRoot)).find(Boolean);
  return find(document)?.checkVisibility();
}"""
_ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: `clips` under way on the broker with `faces` each; each page is opened `repeats`
    times, and stays open for `watch_s`, in which it renews itself every `update_s`.
    """

    clips: int = 20
    faces: int = 10_000
    repeats: int = 5
    watch_s: float = 10.0
    update_s: float = 0.5


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A page: milliseconds until a new tab shows it, and processor time of the server for an update."""

    page: str
    shown_p50_ms: float
    shown_p95_ms: float
    update_cpu_ms: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    rows: tuple[Row, ...]


def measure(settings: Settings, pages: Mapping[str, tuple[str, str]], tell: Tell) -> Measured:
    """Open each page in Chromium, and watch the server's processor time while it stays open.

    `pages` gives each page's address and the CSS selector of what is there once it shows. The clip that an
    address names is `clip-1`. Raises ReelmoodError when Chromium or Playwright is not there.
    """
    machine = describe_machine()
    with tempfile.TemporaryDirectory(prefix="reelmood-bench-") as folder:
        base = load_settings(home=Path(folder), dashboard_port=free_port())
        with house({"dashboard": [["dashboard"]]}, base) as running:
            _fill(running.broker, settings, tell)
            address = f"http://127.0.0.1:{base.dashboard_port}"
            _wait_for_server(running, base.dashboard_port)
            rows = tuple(
                _row(running, settings, name, f"{address}/{path}", selector, tell)
                for name, (path, selector) in pages.items()
            )
    return Measured(machine=machine, settings=settings, rows=rows)


def _row(running: House, settings: Settings, name: str, address: str, selector: str, tell: Tell) -> Row:
    [server] = running.of("dashboard")
    shown, spent = [], 0.0
    with _browser() as browser:
        for number in range(settings.repeats + 1):
            page = browser.new_page()
            began = time.perf_counter()
            page.goto(address, wait_until="commit")
            page.wait_for_function(_SHOWS, arg=selector, polling=_POLL_MS, timeout=_WAIT_MS)
            # The first visit brings modules into the server's memory and scripts into the browser's.
            if number:
                shown.append(time.perf_counter() - began)
            if number == settings.repeats:
                # A long clip fills up over several updates; what they cost is not that of a steady page.
                page.wait_for_timeout(1000 * settings.watch_s)
                before = server.cpu_s()
                page.wait_for_timeout(1000 * settings.watch_s)
                spent = server.cpu_s() - before
            page.close()
    row = Row(
        page=name,
        shown_p50_ms=1000 * percentile(shown, 50),
        shown_p95_ms=1000 * percentile(shown, 95),
        update_cpu_ms=1000 * spent / (settings.watch_s / settings.update_s),
    )
    tell(f"{name}: shown after {row.shown_p50_ms:.0f} ms, an update costs {row.update_cpu_ms:.1f} ms")
    return row


def _wait_for_server(running: House, port: int) -> None:
    """Wait until the dashboard listens. Raises ReelmoodError when it has ended instead."""
    while True:
        running.check()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(_LOOK_S)


@contextmanager
def _browser() -> Iterator["BrowserContext"]:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise ReelmoodError("Chromium is not installed (Debian: apt install chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise ReelmoodError("Playwright is not installed: make install") from None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        try:
            yield browser.new_context(viewport={"width": 1440, "height": 900})
        finally:
            browser.close()


def _fill(broker: Broker, settings: Settings, tell: Tell) -> None:
    for number in range(1, settings.clips + 1):
        clip = f"clip-{number}"
        clips.create(
            broker,
            Clip(
                id=clip,
                name=f"{clip}.mp4",
                path=f"/nowhere/{clip}.mp4",
                results="/nowhere",
                model=_MODEL,
                frames_expected=settings.faces + 1,
            ),
        )
        clips.update(broker, clip, state=State.RUNNING, started_s=time.time())
        for start in range(0, settings.faces, _COMMIT):
            _commit(broker, clip, range(start, min(start + _COMMIT, settings.faces)))
        work_off(broker, _COMMIT, _read)
    tell(f"{settings.clips} clips of {settings.faces:,} faces are on the broker")


def _commit(broker: Broker, clip: str, numbers: range) -> None:
    produce.commit(
        broker,
        clip,
        expected=numbers.start,
        frames=[Frame(number, number / _FPS, number // _SHOT, 1) for number in numbers],
        faces=[Face(place=_place(clip, number), crop=b"", margin=0.25, explain=False) for number in numbers],
        state=b"",
        tracks=numbers.stop // _SHOT + 1,
        shots=numbers.stop // _SHOT + 1,
        last=False,
    )


def _place(clip: str, number: int) -> Place:
    shot = number // _SHOT
    return Place(
        clip=clip,
        frame=number,
        time_s=number / _FPS,
        shot=shot,
        face=0,
        track=shot,
        box=Box(100 + number % 50, 80, 90, 90),
    )


def _read(entry: Entry) -> Outcome:
    return Outcome(entry, encode(_reading(decode(Face, entry.data).place)))


def _reading(place: Place) -> Reading:
    scores = np.exp(2 * np.sin(place.frame / 40 + np.arange(7)))
    shares = [float(share) for share in scores / scores.sum()]
    return Reading(place=place, model=_MODEL, probabilities=shares, aligned=True)
