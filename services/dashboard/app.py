"""The page: clips on the left, the chosen one on the right. Run by `streamlit run` (see `launch.py`)."""

from pathlib import Path

import streamlit as st

from services.dashboard import panels, status
from shared.errors import ReelmoodError
from shared.settings import load_settings

_HERE = Path(__file__).parent

st.set_page_config(page_title="Reelmood", page_icon=str(_HERE / "icon.svg"), layout="wide")
st.html(_HERE / "style.css")
try:
    settings = load_settings()
except ReelmoodError as error:
    st.html(status.note(str(error)))
    st.stop()
with st.sidebar:
    st.html('<p class="rm-brand">Reelmood</p>')
    panels.clip_list(settings)
panels.clip_page(settings)
