"""The WebVTT track of a clip: what each person shows, as captions that any player can lay over it.

Format: https://www.w3.org/TR/webvtt1/
"""

import html
from collections.abc import Iterable
from typing import Final

import pandas as pd

from shared.emotions import COLOURS
from shared.figures.durations import player_shift
from shared.figures.episodes import Episode, find_episodes, read_faces
from shared.figures.persons import by_person
from shared.folders import printable
from shared.people import People, title_of

CAPTIONS: Final = "emotions.vtt"

_STYLE: Final = "\n".join(f"::cue(.{emotion}) {{ color: {colour} }}" for emotion, colour in COLOURS.items())


def build_captions(episodes: Iterable[Episode], people: People, *, shift_s: float = 0.0) -> str:
    """Return a WebVTT file's text with one cue per episode, in their order.

    A cue names the person (`people.title_of` its track), the emotion and the mean confidence in per cent. Its
    voice is the person and its class the emotion, so that a page can style both. Times are presentation times
    plus `shift_s`, in milliseconds, never below zero; a cue lasts at least 1 ms, as the format demands.
    """
    blocks = ["WEBVTT", f"STYLE\n{_STYLE}"]
    blocks += [_cue(number, episode, people, shift_s) for number, episode in enumerate(episodes, 1)]
    return "\n\n".join(blocks) + "\n"


def captions_of(timeline: pd.DataFrame, people: People) -> str:
    """Return the WebVTT file's text for a timeline (columns `shared.timeline.COLUMNS`).

    Merged tracks are one person, hidden persons have no cues. Times are those of the annotated video
    (`durations.player_shift`).
    """
    start_s = float(timeline["time_s"].min()) if len(timeline) else 0.0
    episodes = find_episodes(by_person(read_faces(timeline), people))
    return build_captions(episodes, people, shift_s=player_shift(start_s))


def escaped(text: str) -> str:
    """Return text as it may stand in a cue or in an annotation of one: on one line, `&`, `<`, `>` escaped."""
    return html.escape(printable(text), quote=False)


def timestamp(milliseconds: int) -> str:
    """Return a WebVTT timestamp, `hh:mm:ss.ttt` with as many digits of hours as it takes."""
    seconds, thousandths = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}"


def _cue(number: int, episode: Episode, people: People, shift_s: float) -> str:
    start = max(round(1000 * (episode.start_s + shift_s)), 0)
    end = max(round(1000 * (episode.end_s + shift_s)), start + 1)
    person, emotion = escaped(title_of(people, episode.track)), escaped(episode.emotion)
    text = f"<v {person}><c.{emotion}>{person}: {emotion} {episode.confidence:.0%}</c></v>"
    return f"{number}\n{timestamp(start)} --> {timestamp(end)}\n{text}"
