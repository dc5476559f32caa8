"""The broker → plain data: who is there, which clips, and one clip by cursor."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.dashboard.view import Cursors, View, with_frames, with_neighbours, with_readings
from shared.queues import clips, jobs, presence, results, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.presence import Service

_PAGE: Final = 500
_EARLIEST_ESTIMATE: Final = 0.02


@dataclass(frozen=True)
class Survey:
    """The house at one moment: clips (newest first), services alive, entries on each queue."""

    clips: Sequence[Clip]
    services: Sequence[Service]
    depths: dict[str, int]


@dataclass(frozen=True)
class Progress:
    """How far a clip is: `fraction` in [0, 1] (None: unknown length), `rate` in frames/s, seconds `left`."""

    fraction: float | None
    rate: float | None
    left_s: float | None


def survey(broker: Broker) -> Survey:
    """Ask the broker for everything but the clips' contents."""
    return Survey(
        clips=clips.recent(broker),
        services=[*presence.alive(broker), *jobs.runners(broker)],
        depths=work.depths(broker) | jobs.lengths(broker),
    )


def follow(broker: Broker, view: View, budget_s: float) -> View:
    """Read what is new of a clip and return the view with it.

    Ends after about `budget_s` seconds even when more is there: the next call goes on. Who opens a long clip
    late sees it fill up instead of waiting for all of it.
    """
    deadline = time.monotonic() + budget_s
    while True:
        before = view.cursors
        view = _read_page(broker, view)
        if view.cursors == before or time.monotonic() >= deadline:
            return view


def _read_page(broker: Broker, view: View) -> View:
    clip, at = view.clip, view.cursors
    frames, frames_cursor = results.frames(broker, clip, at.frames, _PAGE)
    readings, readings_cursor = results.readings(broker, clip, at.readings, _PAGE)
    answers, answers_cursor = results.neighbours(broker, clip, at.neighbours, _PAGE)
    grown = with_neighbours(with_readings(with_frames(view, frames), readings), answers)
    return replace(grown, cursors=Cursors(readings_cursor, frames_cursor, answers_cursor))


def progress_of(clip: Clip, now_s: float) -> Progress:
    """Return how far a clip is at `now_s` (Unix seconds).

    A clip is as far as its frames are decoded and their faces read; the time left assumes the mean speed so
    far, and stays unknown for the first two per cent.
    """
    if clip.state is State.DONE:
        seconds = clip.finished_s - clip.started_s
        return Progress(1.0, clip.frames / seconds if clip.started_s and seconds > 0 else None, 0.0)
    read = (clip.done + clip.failed) / clip.faces if clip.faces else 1.0
    if clip.state is State.FINISHING:
        return Progress(1.0, None, None)
    elapsed_s = now_s - clip.started_s
    if clip.state is not State.RUNNING or not clip.started_s or elapsed_s <= 0:
        return Progress(0.0 if clip.frames_expected else None, None, None)
    rate = clip.frames * read / elapsed_s
    if not clip.frames_expected:
        return Progress(None, rate, None)
    fraction = min(clip.frames / clip.frames_expected, 1.0) * read
    known = fraction >= _EARLIEST_ESTIMATE
    return Progress(fraction, rate, elapsed_s * (1 - fraction) / fraction if known else None)
