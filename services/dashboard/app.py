"""The pages: clips and training runs on the left, the chosen one on the right. See `launch.py`."""

from pathlib import Path

import streamlit as st

from services.dashboard import panels, status, training_panels
from shared.errors import ReelmoodError
from shared.settings import load_settings

_HERE = Path(__file__).parent


def _clips() -> None:
    with st.sidebar:
        panels.clip_list(settings)
    panels.clip_page(settings)


def _training() -> None:
    with st.sidebar:
        wants_new = st.button("new run", icon=":material/add:", width="stretch", key="new-run-button")
        training_panels.run_list(settings)
    training_panels.run_page(settings)
    if wants_new:
        training_panels.new_run(settings)


st.set_page_config(page_title="Reelmood", page_icon=str(_HERE / "icon.svg"), layout="wide")
st.html(_HERE / "style.css")
try:
    settings = load_settings()
except ReelmoodError as error:
    st.html(status.note(str(error)))
    st.stop()
pages = [
    st.Page(_clips, title="Clips", icon=":material/movie:", url_path="clips", default=True),
    st.Page(_training, title="Training", icon=":material/model_training:", url_path="training"),
]
page = st.navigation(pages, position="hidden")
with st.sidebar:
    st.html('<p class="rm-brand">Reelmood</p>')
    with st.container(key="pages", horizontal=True):
        for one in pages:
            st.page_link(one)
page.run()
