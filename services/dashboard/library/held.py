"""The library of this process: one for all browser sessions."""

from pathlib import Path

import streamlit as st

from services.dashboard.library.shelf import Shelf
from shared.settings import Settings


def shelf_of(settings: Settings) -> Shelf:
    """Return the faces of all finished clips of a home."""
    return _shelf(str(settings.results))


@st.cache_resource(max_entries=4, show_spinner=False)
def _shelf(results: str) -> Shelf:
    return Shelf(Path(results))
