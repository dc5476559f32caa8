"""Detection: what a frame costs to decode and to search for faces, and which faces are found."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np

from benchmarks.clips import existing, read_frames, scale_clip
from benchmarks.machine import Machine, describe_machine
from benchmarks.timing import Tell, percentile, summarise
from shared.faces.detection import CASCADE, FaceDetector, HaarDetector, Image
from shared.messages import Box
from shared.video import open_clip

_SAME: Final = 0.8


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: the first `frames` of a clip, searched for faces from `min_face_fraction` on.

    Where faces are followed, every frame of so many is searched as a whole (`search_every`).
    """

    clip: str
    frames: int = 100
    repeats: int = 3
    min_face_fraction: float = 0.125
    search_every: int = 5


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One step, over all frames and repeats, in milliseconds a frame.

    `found_again` is the part of the full search's faces, as large as wanted, that are found at an IoU of 0.8.
    """

    step: str
    ms_p50: float
    ms_p95: float
    faces: int | None
    found_again: float | None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured; width and height in pixels."""

    machine: Machine
    settings: Settings
    width: int
    height: int
    frames: int
    rows: tuple[Row, ...]


class PlainHaar:
    """The cascade as the paper uses it: scale 1.3, 5 neighbours, every size, on the whole frame."""

    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(str(CASCADE))

    def detect(self, image: Image, expected: Sequence[Box] = ()) -> list[Box]:  # noqa: ARG002 - the protocol's
        """Return the faces of an image; see `FaceDetector`."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return [Box(*map(int, corners)) for corners in self._cascade.detectMultiScale(grey, 1.3, 5)]


class Following:
    """The product's search as ingest uses it: frames in turn, faces looked for where they were."""

    def __init__(self, detector: FaceDetector, search_every: int) -> None:
        self._detector = detector
        self._search_every = search_every
        self._shown = 0
        self._before: list[Box] = []

    def detect(self, image: Image, expected: Sequence[Box] = ()) -> list[Box]:  # noqa: ARG002 - the protocol's
        """Return the faces of the next image; see `FaceDetector`."""
        near = self._before if self._shown % self._search_every else ()
        self._before = self._detector.detect(image, near)
        self._shown += 1
        return self._before


def measure(settings: Settings, folder: Path, hd: bool, tell: Tell) -> Measured:
    """Time decoding, the product's search and the full search, frame by frame in turn, on one thread.

    `hd` makes it a clip of 1280×720 first, in `folder`. Raises ClipError when it cannot be read.
    """
    path = existing(settings.clip)
    machine = describe_machine()
    path = scale_clip(path, folder / "hd.mp4") if hd else path
    frames = read_frames(path, settings.frames)
    detector = HaarDetector(settings.min_face_fraction)
    detectors: dict[str, FaceDetector] = {
        "follow": Following(detector, settings.search_every),
        "detect": detector,
        "full search": PlainHaar(),
    }
    seconds = _time(detectors, frames, settings.repeats)
    seconds["decode"] = _time_decoding(path, len(frames), settings.repeats)
    tell(f"{len(frames)} frames searched {settings.repeats} times")
    boxes = {name: [detector.detect(frame) for frame in frames] for name, detector in detectors.items()}
    height, width = frames[0].shape[:2]
    smallest = settings.min_face_fraction * min(height, width)
    rows = [_row("decode", seconds["decode"], None, None)]
    for name, found in boxes.items():
        again = found_again(found, boxes["full search"], smallest)
        rows.append(_row(name, seconds[name], sum(map(len, found)), again))
    return Measured(
        machine=machine, settings=settings, width=width, height=height, frames=len(frames), rows=tuple(rows)
    )


def found_again(
    found: Sequence[Sequence[Box]], wanted: Sequence[Sequence[Box]], smallest: float
) -> float | None:
    """Return the part of the wanted boxes of at least `smallest` pixels that are found; None without any."""
    hits = [
        any(overlap(box, other) >= _SAME for other in those)
        for those, these in zip(found, wanted, strict=True)
        for box in these
        if box.h >= smallest
    ]
    return float(np.mean(hits)) if hits else None


def overlap(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes."""
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    shared = max(0, width) * max(0, height)
    return shared / (one.w * one.h + other.w * other.h - shared)


def _row(step: str, seconds: list[float], faces: int | None, again: float | None) -> Row:
    return Row(
        step=step,
        ms_p50=1000 * summarise(seconds).median_s,
        ms_p95=1000 * percentile(seconds, 95),
        faces=faces,
        found_again=again,
    )


def _time(
    detectors: dict[str, FaceDetector], frames: Sequence[Image], repeats: int
) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in detectors}
    for _ in range(repeats):
        for frame in frames:
            for name, detector in detectors.items():
                began = time.perf_counter()
                detector.detect(frame)
                seconds[name].append(time.perf_counter() - began)
    return seconds


def _time_decoding(path: Path, frames: int, repeats: int) -> list[float]:
    seconds = []
    for _ in range(repeats):
        with open_clip(path) as footage:
            for _ in range(frames):
                began = time.perf_counter()
                next(footage.frames)
                seconds.append(time.perf_counter() - began)
    return seconds
