"""What is seen of a clip under way: its pictures, whose faces are read in them, and its emotions so far."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.messages import Preview, Reading
from shared.queues import previews, results
from shared.queues.broker import Broker
from shared.queues.results import START

STEP_S: Final = 0.25
"""Length of the steps in which emotions are counted."""
_PAGE: Final = 500

Label = tuple[str, float]
"""An emotion and its probability."""


@dataclass(frozen=True)
class Scene:
    """Everything seen of a clip that its picture and its ribbon need.

    `pictures` are the newest, the oldest first; `labels` holds what was read in them, by frame and track;
    `steps` counts the faces of each emotion, int64 [7], in each step of `STEP_S` seconds that has any;
    `read_to` is the last frame of which a face was read.
    """

    pictures: tuple[Preview, ...] = ()
    labels: Mapping[tuple[int, int], Label] = field(default_factory=dict)
    steps: Mapping[int, NDArray[np.int64]] = field(default_factory=dict)
    read_to: int = -1
    previews_cursor: str = START
    readings_cursor: str = START


def follow(broker: Broker, clip_id: str, scene: Scene, budget_s: float) -> Scene:
    """Read what is new and return the scene with it.

    Ends after about `budget_s` seconds even when more is there: the next call goes on, so that a page that
    was closed for a while catches up without standing still.
    """
    deadline = time.monotonic() + budget_s
    while True:
        before = scene.readings_cursor
        new, cursor = previews.after(broker, clip_id, scene.previews_cursor)
        pictures = (*scene.pictures, *new)[-previews.KEPT :]
        scene = replace(scene, pictures=pictures, previews_cursor=cursor)
        readings, cursor = results.readings(broker, clip_id, scene.readings_cursor, _PAGE)
        scene = replace(with_readings(scene, readings), readings_cursor=cursor)
        if cursor == before or time.monotonic() >= deadline:
            return scene


def with_readings(scene: Scene, readings: list[Reading]) -> Scene:
    """Return the scene with more readings; faces that were given up have no label."""
    pictured = {picture.frame for picture in scene.pictures}
    labels = {at: label for at, label in scene.labels.items() if at[0] in pictured}
    steps, read_to = dict(scene.steps), scene.read_to
    for reading in readings:
        place, probabilities = reading.place, reading.probabilities
        read_to = max(read_to, place.frame)
        if probabilities is None:
            continue
        top = int(np.argmax(probabilities))
        if place.frame in pictured:
            labels[place.frame, place.track] = EMOTIONS[top], probabilities[top]
        step = int(place.time_s // STEP_S)
        counts = steps.get(step, np.zeros(len(EMOTIONS), np.int64)).copy()
        counts[top] += 1
        steps[step] = counts
    return replace(scene, labels=labels, steps=steps, read_to=read_to)


def picture_of(scene: Scene) -> Preview | None:
    """Return the newest picture of which all faces are read, or the newest of all where there is none."""
    for picture in reversed(scene.pictures):
        if all((picture.frame, face.track) in scene.labels for face in picture.faces) and (
            picture.faces or picture.frame <= scene.read_to
        ):
            return picture
    return scene.pictures[-1] if scene.pictures else None


def ribbon_of(scene: Scene, parts: int) -> list[tuple[float, float, str]]:
    """Return the most frequent emotion of at most `parts` parts of the time so far.

    Each is (start, width, emotion), start and width in [0, 1] of that time; parts without a face are left
    out, and neighbours of the same emotion are one.
    """
    if not scene.steps:
        return []
    first, last = min(0, *scene.steps), max(scene.steps) + 1
    size = max(1, -(-(last - first) // parts))
    part_of = (np.fromiter(scene.steps, np.int64) - first) // size
    sums = np.zeros((part_of.max() + 1, len(EMOTIONS)), np.int64)
    np.add.at(sums, part_of, np.stack(list(scene.steps.values())))
    span, found = (last - first) / size, list[tuple[float, float, str]]()
    parts_seen = np.unique(part_of)
    for part, top in zip(parts_seen.tolist(), sums[parts_seen].argmax(axis=1).tolist(), strict=True):
        emotion, start = EMOTIONS[top], part / span
        width = min(1 / span, 1 - start)
        if found and found[-1][2] == emotion and abs(found[-1][0] + found[-1][1] - start) < 1e-9:
            start, width = found[-1][0], found[-1][1] + width
            found.pop()
        found.append((start, width, emotion))
    return found
