"""Pages as a new browser session opens them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from shared.settings import Settings, environment_of
from tests.services.dashboard.pages import OpenPage, Script


@pytest.fixture
def open_page(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """Open a script, a file or a function, under the test's settings; run the page to see it."""
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    # Streamlit puts the page in its place for good, and a process that is spawned later would begin with it.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])

    def opened(script: Script) -> AppTest:
        if isinstance(script, Path):
            return AppTest.from_file(str(script), default_timeout=20)
        return AppTest.from_function(script, default_timeout=20)

    st.cache_resource.clear()
    yield opened
    st.cache_resource.clear()
