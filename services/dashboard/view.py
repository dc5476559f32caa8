"""What a reader of one clip has seen so far, as plain arrays: the same from the broker and from files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.messages import Explanation, Frame, Neighbour, Neighbours, Reading
from shared.queues.results import START


@dataclass(frozen=True)
class Moment:
    """An explained face: `probabilities` [7] in the order of `EMOTIONS`, and what the worker added."""

    track: int
    shot: int
    frame: int
    time_s: float
    probabilities: tuple[float, ...]
    explanation: Explanation

    @property
    def emotion(self) -> str:
        """The most probable emotion."""
        return EMOTIONS[int(np.argmax(self.probabilities))]


@dataclass(frozen=True)
class Answer:
    """The nearest gallery faces of a moment; `agrees` as in `shared.messages.Neighbours`."""

    frame: int
    time_s: float
    nearest: tuple[Neighbour, ...]
    agrees: bool | None


@dataclass(frozen=True, eq=False)
class Explained:
    """The explained faces of a finished clip, by time, and where in its `moments.parquet` each of them is.

    `row`, `frame`, `track` and `shot` int64 [M], `time_s` float64 [M] in seconds, `probabilities` float32
    [M, 7]; `changed_ns` is when the file last changed.
    """

    path: Path
    changed_ns: int
    row: NDArray[np.int64]
    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    track: NDArray[np.int64]
    shot: NDArray[np.int64]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Cursors:
    """How far each stream of a clip has been read."""

    readings: str = START
    frames: str = START
    neighbours: str = START


@dataclass(frozen=True, eq=False)
class View:
    """Everything seen of one clip.

    `time_s` float64 [N] in seconds, `track` and `shot` int64 [N] and `probabilities` float32 [N, 7], one row
    per read face in the order of arrival; a track belongs to one shot; `shots` maps a shot to the time of its
    first frame in seconds. Of a clip under way `moments` and `answers` hold the latest of each track, and
    `best` the surest; those of a finished one (`archived`) are in its files, and `explained` says where.
    """

    clip: str
    time_s: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    track: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    shot: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    probabilities: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 7), np.float32))
    shots: Mapping[int, float] = field(default_factory=dict)
    last_frame: int = -1
    last_s: float = 0.0
    moments: Mapping[int, Moment] = field(default_factory=dict)
    answers: Mapping[int, Answer] = field(default_factory=dict)
    best: Mapping[int, Moment] = field(default_factory=dict)
    cursors: Cursors = field(default_factory=Cursors)
    archived: bool = False
    explained: Explained | None = None

    @property
    def frame_s(self) -> float:
        """Mean time between two frames in seconds; 0 before the second frame."""
        return self.last_s / self.last_frame if self.last_frame > 0 else 0.0


def with_readings(view: View, readings: Sequence[Reading]) -> View:
    """Return the view with more readings; faces that were given up are left out."""
    read = [(item, item.probabilities) for item in readings if item.probabilities is not None]
    if not read:
        return view
    moments, best = dict(view.moments), dict(view.best)
    for item, probabilities in read:
        place, track = item.place, item.place.track
        if item.explanation is None:
            continue
        moment = Moment(track, place.shot, place.frame, place.time_s, tuple(probabilities), item.explanation)
        if track not in moments or moments[track].frame <= place.frame:
            moments[track] = moment
        if track not in best or max(best[track].probabilities) < max(probabilities):
            best[track] = moment
    return replace(
        view,
        time_s=np.append(view.time_s, [item.place.time_s for item, _ in read]),
        track=np.append(view.track, [item.place.track for item, _ in read]),
        shot=np.append(view.shot, [item.place.shot for item, _ in read]),
        probabilities=np.concatenate(
            [view.probabilities, np.asarray([values for _, values in read], np.float32)]
        ),
        moments=moments,
        best=best,
    )


def with_frames(view: View, frames: Sequence[Frame]) -> View:
    """Return the view with more decoded frames."""
    if not frames:
        return view
    shots = dict(view.shots)
    for item in frames:
        shots[item.shot] = min(item.time_s, shots.get(item.shot, item.time_s))
    last = max(frames, key=lambda item: item.frame)
    if last.frame < view.last_frame:
        return replace(view, shots=shots)
    return replace(view, shots=shots, last_frame=last.frame, last_s=last.time_s)


def with_neighbours(view: View, answers: Sequence[Neighbours]) -> View:
    """Return the view with more answers of the retrieval service."""
    if not answers:
        return view
    held = dict(view.answers)
    for item in answers:
        place, track = item.place, item.place.track
        before = held.get(track)
        if before is None or before.frame <= place.frame:
            held[track] = Answer(place.frame, place.time_s, tuple(item.nearest), item.agrees)
    return replace(view, answers=held)


def tracks_of(view: View) -> list[int]:
    """Return the tracks with at least one read face, in ascending order."""
    return [int(track) for track in np.unique(view.track)]


def main_tracks(view: View) -> list[int]:
    """Return the track with the most faces of each shot, in the order of the shots.

    Of two that are about equal (within a fifth) the one that came first: two people who share a shot must not
    make the picture flip from update to update.
    """
    tracks, rows, counts = np.unique(view.track, return_index=True, return_counts=True)
    main = []
    for shot in np.unique(view.shot):
        here = np.flatnonzero(view.shot[rows] == shot)
        if not len(here):  # only damaged results have a track in more than one shot
            continue
        many = counts[here] >= 0.8 * counts[here].max()
        main.append(int(tracks[here[np.argmax(many)]]))
    return main


def series_of(view: View, tracks: Sequence[int] | None) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return times [M] in seconds, strictly ascending, and probabilities [M, 7] of some tracks (None: all).

    Faces of the same time are averaged.
    """
    chosen = slice(None) if tracks is None else np.flatnonzero(np.isin(view.track, tracks))
    time_s, probabilities = view.time_s[chosen], view.probabilities[chosen]
    order = np.argsort(time_s, kind="stable")
    moments, starts, counts = np.unique(time_s[order], return_index=True, return_counts=True)
    if len(moments) == len(time_s):
        return moments, probabilities[order]
    sums = np.add.reduceat(probabilities[order], starts, axis=0)
    return moments, (sums / counts[:, None]).astype(np.float32)
