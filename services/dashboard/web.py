"""What the dashboard's server serves: the pages, and the clips that they play. See `launch.py`."""

from pathlib import Path

import streamlit as st

from services.dashboard.clip import footage

app = st.App(Path(__file__).with_name("app.py"), routes=[footage.route()])
