"""Screenshots of the pages for `docs/screens/`, kept when `REELMOOD_SCREENS` names that folder."""

import os
from pathlib import Path

from playwright.sync_api import Page


def keep(page: Page, name: str) -> None:
    """Keep a screenshot of a page as it is seen, where that is asked for."""
    if folder := os.environ.get("REELMOOD_SCREENS"):
        page.screenshot(path=Path(folder) / f"{name}.png")
