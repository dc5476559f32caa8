"""Clips that benchmarks make of other clips, and the faces in them."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from shared.errors import ClipError
from shared.faces.detection import FaceDetector, Image
from shared.messages import Box
from shared.video import open_clip

HD: Final = (1280, 720)
_TICK: Final = Fraction(1, 90_000)
_QUALITY: Final = {"preset": "veryfast", "crf": "20"}


def existing(text: str) -> Path:
    """Return the path of a clip. Raises ClipError when there is no such file."""
    path = Path(text)
    if not path.is_file():
        raise ClipError(f"there is no file {path}")
    return path


def read_frames(path: Path, limit: int | None = None) -> list[Image]:
    """Return a clip's frames, at most `limit`, RGB uint8 [H, W, 3]. Raises ClipError as `open_clip`."""
    with open_clip(path) as footage:
        return [frame.image for frame in islice(footage.frames, limit)]


def scale_clip(path: Path, out: Path, size: tuple[int, int] = HD) -> Path:
    """Write a clip's pictures as H.264 of another size (width, height), their times kept; return `out`."""
    with open_clip(path) as footage, av.open(str(out), "w") as container:
        stream = _stream(container.add_stream("libx264", options=dict(_QUALITY)), size)
        for frame in footage.frames:
            image = cv2.resize(frame.image, size, interpolation=cv2.INTER_CUBIC)
            container.mux(stream.encode(_picture(np.asarray(image, np.uint8), frame.time_s)))
        container.mux(stream.encode(None))
    return out


def loop_clip(path: Path, out: Path, frames: int) -> Path:
    """Write a clip's pictures again and again, as H.264, until there are `frames`; return `out`."""
    with av.open(str(out), "w") as container:
        stream: VideoStream | None = None
        for number, image in enumerate(islice(_for_ever(path), frames)):
            if stream is None:
                size = (image.shape[1] // 2 * 2, image.shape[0] // 2 * 2)
                stream = _stream(container.add_stream("libx264", options=dict(_QUALITY)), size)
            container.mux(stream.encode(_picture(image[: stream.height, : stream.width], number / 25)))
        if stream is not None:
            container.mux(stream.encode(None))
    return out


def cut_faces(
    frames: list[Image], detector: FaceDetector, margin: float, size: int
) -> list[NDArray[np.uint8]]:
    """Return the squares around all faces of the frames as ingest sends them, but not as JPEG.

    Each has `margin` of its box's side more on each side and at most `size` pixels. Raises ClipError when
    there is no face.
    """
    crops = [_square(frame, box, margin, size) for frame in frames for box in detector.detect(frame)]
    if not crops:
        raise ClipError("no face is found in this clip, choose another one")
    return crops


def _square(frame: Image, box: Box, margin: float, size: int) -> NDArray[np.uint8]:
    side = max(box.w, box.h)
    pad = round(side * margin)
    whole = side + 2 * pad
    left, top = box.x + (box.w - side) // 2 - pad, box.y + (box.h - side) // 2 - pad
    to_corner = np.array([[1.0, 0, -left], [0, 1.0, -top]])
    crop = np.asarray(cv2.warpAffine(frame, to_corner, (whole, whole)), np.uint8)
    if whole > size:
        crop = np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    return crop


def _for_ever(path: Path) -> Iterator[Image]:
    while True:
        with open_clip(path) as footage:
            for frame in footage.frames:
                yield frame.image


def _stream(stream: object, size: tuple[int, int]) -> VideoStream:
    if not isinstance(stream, VideoStream):
        raise ClipError("this PyAV cannot write H.264")
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = _TICK
    return stream


def _picture(image: Image, time_s: float) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(format="yuv420p")
    frame.time_base, frame.pts = _TICK, round(time_s / _TICK)
    return frame
