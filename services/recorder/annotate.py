"""The annotated video: the clip as it was, with every reading drawn on it."""

import errno
import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
from av import Packet, VideoFrame, VideoStream
from av.container import InputContainer, OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray
from PIL import Image

from services.recorder.blur import blur_faces, boxes_to_blur
from services.recorder.layout import Panel
from services.recorder.overlay import draw_faces, style_for
from services.recorder.sound import Packets, open_original, sound_packets
from shared.errors import ClipError
from shared.figures.durations import player_shift
from shared.messages import Box, Reading
from shared.video import DecodedFrame, open_clip

VIDEO: Final = "annotated.mp4"
PICTURE: Final = "annotated.png"

_FINE: Final = Fraction(1, 90_000)
_USUAL_RATE: Final = Fraction(25)
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_QUALITY: Final = {"crf": "20", "preset": "veryfast"}
_CONTAINER: Final = {"movflags": "+faststart"}


def annotate_clip(
    source: Path, folder: Path, readings: Sequence[Reading], *, blur: bool = False, frames: int | None = None
) -> Path:
    """Write `annotated.mp4`, or `annotated.png` of a picture, into `folder` and return its path.

    The video is H.264 with the clip's own sound. Its frames are those of `source`, upright, with the readings
    drawn on them, at their own presentation times (only a clip that starts before 0 s or after 10 s is moved
    to 0 s, since players would show nothing until then); an odd side gets one more row or column, since 4:2:0
    video has even ones. With `blur`, the faces that were found cannot be recognised. It ends after so many
    `frames`, where a number is given. Raises ClipError when
    the clip cannot be decoded or the video not be encoded, OSError when there is no room for it.
    """
    try:
        with open_clip(source) as footage, open_original(source) as original:
            taken = itertools.islice(footage.frames, frames)
            drawn = _annotated(taken, readings, boxes_to_blur(readings) if blur else {})
            if original.format.name.endswith("_pipe"):  # FFmpeg's formats of still pictures
                return _write_picture(folder / PICTURE, drawn)
            with av.open(folder / VIDEO, "w", options=dict(_CONTAINER)) as video:
                _write_video(original, video, drawn)
            return folder / VIDEO
    except (av.FFmpegError, OSError) as error:
        if error.errno in _NO_ROOM:
            raise
        raise ClipError(f"no annotated video: {error.strerror or error}") from None


def _write_picture(target: Path, frames: Iterator[tuple[float, NDArray[np.uint8]]]) -> Path:
    Image.fromarray(next(frames)[1]).save(target)
    return target


def _write_video(
    original: InputContainer, video: OutputContainer, frames: Iterator[tuple[float, NDArray[np.uint8]]]
) -> None:
    first = next(frames)
    start_s = (original.start_time or 0) / av.time_base
    shift_s = player_shift(start_s)
    encoder = _add_encoder(video, original.streams.video[0], first[1])
    tracks = [_encoded(encoder, itertools.chain([first], frames), shift_s)]
    sound = sound_packets(original, video, shift_s)
    if sound is not None:
        tracks.append(sound)
    for packet in heapq.merge(*tracks, key=_decoding_time):
        video.mux(packet)


def _annotated(
    frames: Iterable[DecodedFrame], readings: Sequence[Reading], hidden: Mapping[int, Sequence[Box]]
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    faces: dict[int, list[Reading]] = defaultdict(list)
    for reading in readings:
        faces[reading.place.frame].append(reading)
    panels: dict[int, Panel] = {}
    for frame in frames:
        height, width = frame.image.shape[:2]
        here = sorted(faces.get(frame.index, ()), key=lambda reading: reading.place.face)
        shown = blur_faces(frame.image, hidden.get(frame.index, ()))
        image, placed = draw_faces(shown, here, panels, style_for(width, height))
        panels |= placed  # a face that is missed for a frame comes back with its panel where it was
        yield frame.time_s, image


def _add_encoder(video: OutputContainer, pictures: VideoStream, image: NDArray[np.uint8]) -> VideoStream:
    height, width = image.shape[:2]
    encoder = video.add_stream("libx264", rate=pictures.average_rate or _USUAL_RATE, options=dict(_QUALITY))
    encoder.width, encoder.height, encoder.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
    base = pictures.time_base
    exact = base is not None and base.numerator == 1 and 1000 <= base.denominator <= 1_000_000
    encoder.time_base = encoder.codec_context.time_base = base if exact and base else _FINE
    context = encoder.codec_context
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return encoder


def _encoded(
    encoder: VideoStream, frames: Iterator[tuple[float, NDArray[np.uint8]]], shift_s: float
) -> Packets:
    base = encoder.codec_context.time_base
    last = None
    for time_s, image in frames:
        frame = VideoFrame.from_ndarray(_even(image), format="rgb24").reformat(
            encoder.width, encoder.height, "yuv420p", dst_colorspace=Colorspace.ITU709
        )
        pts = round((time_s + shift_s) / base)
        frame.pts = last = pts if last is None else max(pts, last + 1)
        frame.time_base = base
        yield from encoder.encode(frame)
    yield from encoder.encode(None)


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if height % 2 == width % 2 == 0:
        return image
    padded = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(padded, dtype=np.uint8)


def _decoding_time(packet: "Packet[Any]") -> float:
    return float((packet.dts or 0) * (packet.time_base or 0))
