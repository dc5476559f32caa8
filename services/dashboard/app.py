"""The pages: clips and training runs on the left, the chosen one on the right. See `launch.py`."""

from pathlib import Path

import streamlit as st

from services.dashboard import panels, status, training_panels
from services.dashboard.clip.page import clip_page
from services.dashboard.intake import panels as intake
from services.dashboard.live.page import live_page
from services.dashboard.review.page import review_page
from services.dashboard.search.page import search_page
from services.dashboard.system.page import system_page
from shared.errors import ReelmoodError
from shared.settings import load_settings

_HERE = Path(__file__).parent


def _clips() -> None:
    # What is looked at is drawn first, the list beside it after that.
    clip_page(settings)
    with st.sidebar:
        with st.container(key="intake", horizontal=True):
            intake.add_button(settings)
            intake.manage_button(settings)
        panels.clip_list(settings)


def _live() -> None:
    with st.sidebar:
        intake.add_button(settings)
    live_page(settings, pages[0])


def _system() -> None:
    system_page(settings)


def _training() -> None:
    with st.sidebar:
        wants_new = st.button("new run", icon=":material/add:", width="stretch", key="new-run-button")
        training_panels.run_list(settings)
    training_panels.run_page(settings)
    if wants_new:
        training_panels.new_run(settings)


def _search() -> None:
    search_page(settings)


def _review() -> None:
    review_page(settings)


st.set_page_config(page_title="Reelmood", page_icon=str(_HERE / "icon.svg"), layout="wide")
st.html(_HERE / "style.css")
try:
    settings = load_settings()
except ReelmoodError as error:
    st.html(status.note(str(error)))
    st.stop()
pages = [
    st.Page(_clips, title="Clips", icon=":material/movie:", url_path="clips", default=True),
    st.Page(_live, title="Live", icon=":material/sensors:", url_path="live"),
    st.Page(_search, title="Search", icon=":material/search:", url_path="search"),
    st.Page(_review, title="Review", icon=":material/fact_check:", url_path="review"),
    st.Page(_training, title="Training", icon=":material/model_training:", url_path="training"),
    st.Page(_system, title="System", icon=":material/monitor_heart:", url_path="system"),
]
page = st.navigation(pages, position="hidden")
with st.sidebar:
    st.html('<p class="rm-brand">Reelmood</p>')
    with st.container(key="pages", horizontal=True):
        for one in pages:
            st.page_link(one)
page.run()
