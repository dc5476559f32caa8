"""A real browser, and a real dashboard process for it to look at."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, sync_playwright

from services.dashboard.launch import command
from shared.queues.broker import Broker
from shared.settings import Settings, environment_of

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; where none is installed, tests are skipped, but fail in continuous integration."""
    path = shutil.which("chromium")
    if path is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("Chromium is not installed (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def dashboard(broker: Broker, settings: Settings, browser: Browser, port: int) -> Iterator[str]:
    """The address of a dashboard process of its own, on the test's broker."""
    with running_dashboard(settings, port) as address:
        yield address


@contextmanager
def running_dashboard(settings: Settings, port: int) -> Iterator[str]:
    """Run a dashboard process and yield its address."""
    here = settings.model_copy(update={"dashboard_port": port})
    environment = os.environ | environment_of(here)
    log = settings.home.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(command(here), cwd=ROOT, env=environment, stdout=output, stderr=output)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_ready(process, address, log)
            yield address
        finally:
            process.terminate()
            code = process.wait(10)
    assert code == 0
    # While it stops, Streamlit may report connections that it has closed itself.
    assert "Traceback" not in log.read_text().partition("Stopping...")[0]


def _wait_until_ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urlopen(f"{address}/_stcore/health"):  # noqa: S310 - an address of our own
                return
        except URLError:
            time.sleep(0.1)
    raise AssertionError(f"the dashboard was not ready after 60 s: {log.read_text()}")
