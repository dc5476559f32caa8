"""What a person says about a clip → its `people.json`."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from services.dashboard import status
from services.dashboard.view import View
from shared.errors import DataError
from shared.people import People, load, save
from shared.queues.clips import Clip


def can_say(clip: Clip, view: View) -> bool:
    """Tell whether a clip has a folder for what is said about it; where it has none, say when it will."""
    if view.archived and clip.out:
        return True
    st.html(status.note("names and notes are kept with a clip's files: they can be given once it is done"))
    return False


def say(clip: Clip, change: Callable[[People], People]) -> bool:
    """Change what was said about a clip, as it is in its file now; what goes wrong is shown for a while."""
    folder = Path(clip.out)
    try:
        save(folder, change(load(folder)))
    except DataError as error:
        st.toast(status.plain(str(error)), duration="long")
        return False
    return True
