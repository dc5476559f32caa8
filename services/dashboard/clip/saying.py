"""What a person says about a clip → its `people.json`, and the names in its captions."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from msgspec.structs import replace

from services.dashboard import status
from services.dashboard.view import View
from shared import reader
from shared.captions import CAPTIONS, captions_of
from shared.errors import DataError
from shared.folders import write_whole
from shared.people import PEOPLE, People, load, save
from shared.queues.clips import Clip
from shared.settings import load_settings
from shared.storage.results import share
from shared.storage.store import StoreError


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
        before = load(folder)
        after = change(before)
        save(folder, after)
        if replace(before, notes=()) != replace(after, notes=()):
            _rewrite_captions(folder, after)
        settings = load_settings()
        for name in (PEOPLE, CAPTIONS):
            share(settings, folder / name)
    except (DataError, StoreError) as error:
        st.toast(status.plain(str(error)), duration="long")
        return False
    return True


def _rewrite_captions(folder: Path, people: People) -> None:
    try:
        write_whole(folder / CAPTIONS, captions_of(reader.read(folder), people).encode())
    except OSError as error:
        raise DataError(f"{folder / CAPTIONS} cannot be written: {error.strerror}") from None
