"""Small clips, made on the spot: drawn faces that the Haar cascade takes for real, no photographs."""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from shared.faces.detection import Image

FaceAt = tuple[float, float, float]
"""A drawn face: centre x, centre y and side of its box, in pixels."""

_FEATURES: Sequence[tuple[tuple[float, float], tuple[float, float], tuple[int, int, int]]] = (
    ((0, 0.02), (0.42, 0.56), (60, 45, 40)),
    ((0, 0.08), (0.36, 0.48), (205, 170, 150)),
    *(((side * 0.17, -0.10), (0.13, 0.075), (110, 80, 70)) for side in (-1, 1)),
    *(((side * 0.17, -0.18), (0.13, 0.025), (50, 35, 30)) for side in (-1, 1)),
    *(((side * 0.17, -0.09), (0.05, 0.04), (25, 20, 20)) for side in (-1, 1)),
    *(((side * 0.20, 0.14), (0.09, 0.07), (225, 190, 170)) for side in (-1, 1)),
    ((0, 0.02), (0.045, 0.14), (230, 200, 180)),
    ((0, 0.15), (0.08, 0.03), (150, 110, 100)),
    ((0, 0.30), (0.15, 0.045), (120, 60, 60)),
)
"""Ellipses from the hair to the mouth: centre and half axes in sides of the face, colour."""


def draw(
    *faces: FaceAt, width: int = 160, height: int = 120, background: tuple[int, int, int] = (120, 120, 120)
) -> Image:
    """Return a picture with drawn faces, RGB uint8 [height, width, 3]."""
    image = np.full((height, width, 3), background, np.uint8)
    for x, y, side in faces:
        for (dx, dy), (a, b), colour in _FEATURES:
            centre = (round(x + dx * side), round(y + dy * side))
            axes = (round(a * side), round(b * side))
            cv2.ellipse(image, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.2), np.uint8)


def walk(count: int, *, start: FaceAt = (50, 60, 56), step: float = 1.0) -> list[Image]:
    """Return frames in which one drawn face walks to the right."""
    x, y, side = start
    return [draw((x + step * number, y, side)) for number in range(count)]


def write_clip(
    path: Path,
    frames: Iterable[Image],
    *,
    rate: int = 25,
    times_s: Sequence[float] | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
) -> Path:
    """Write RGB frames of one size as a video, at `times_s` where given, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    given = {"preset": "ultrafast", "crf": "12"} if codec == "libx264" else {}
    with av.open(str(path), "w", container_options=dict(container_options or {})) as container:
        stream = container.add_stream(codec, rate=rate, options={**given, **(options or {})})
        assert isinstance(stream, VideoStream)
        stream.pix_fmt = pixels
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, image in enumerate(frames):
            if not number:
                stream.height, stream.width = image.shape[:2]
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = Fraction(1, 1000)
            frame.pts = round(1000 * (number / rate if times_s is None else times_s[number]))
            container.mux(stream.encode(frame.reformat(format=pixels)))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """Write a file that holds a second of silence and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        for number in range(16):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 16000, 1000 * number, Fraction(1, 16000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_picture(path: Path, image: Image) -> Path:
    """Write an RGB picture in the format of the path's suffix."""
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return path


def cut_in_half(source: Path, path: Path) -> Path:
    """Write the first half of a file's bytes."""
    data = source.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def write_huge_header(path: Path, side: int) -> Path:
    """Write a PNG of a few bytes whose header promises `side` × `side` pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path
