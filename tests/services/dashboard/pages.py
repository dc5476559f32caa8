"""What a page shows, for the tests that run one."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from services.dashboard import session

Script = Path | Callable[[], None]
OpenPage = Callable[[Script], AppTest]


def text_of(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(element.proto.body for element in page.get("html"))


def update(page: AppTest) -> str:
    """Let the page ask the broker again over the connection that it has, and return what it shows."""
    session._ask.clear()
    page.run()
    return text_of(page)
