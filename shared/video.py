"""Clips, decoded: every frame, upright, with its presentation time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from shared.errors import ClipError
from shared.faces.detection import Image
from shared.pictures import decode_picture

MAX_PIXELS: Final = 100_000_000

FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h261,h263,h264,hevc,vvc,av1,obu,ivf,"
    "asf,flv,live_flv,swf,ogg,mxf,gxf,nut,nsv,rm,dv,dirac,dnxhd,vc1,avs2,avs3,cavsvideo,mjpeg,mpjpeg,"
    "yuv4mpegpipe,wtv,gif,apng,jpegxl_anim,flic,bink,smk,roq,film_cpk,"
    "bmp_pipe,dds_pipe,dpx_pipe,exr_pipe,gif_pipe,hdr_pipe,j2k_pipe,jpeg_pipe,jpegls_pipe,jpegxl_pipe,"
    "pam_pipe,pbm_pipe,pcx_pipe,pfm_pipe,pgm_pipe,png_pipe,ppm_pipe,psd_pipe,qoi_pipe,sgi_pipe,sunrast_pipe,"
    "tiff_pipe,webp_pipe"
)
"""The containers that carry their pictures themselves. Playlists, which make FFmpeg open other files and
addresses, and text, which it would render, are not among them."""
_OPTIONS: Final = {"format_whitelist": FORMATS, "protocol_whitelist": "", "max_pixels": str(MAX_PIXELS)}
_LARGEST_PICTURE: Final = 512 << 20
_DEFAULT_RATE: Final = 25.0
_SLOWEST_RATE: Final = 1e-2
_LATEST_S: Final = 1e8
"""Times beyond three years are damage, not times."""
_SHORT_S: Final = 0.5
_SHORT_SHARE: Final = 0.1


@dataclass(frozen=True)
class DecodedFrame:
    """A frame: 0-based index, presentation time in seconds, upright image RGB uint8 [H, W, 3]."""

    index: int
    time_s: float
    image: Image


@dataclass(frozen=True)
class Footage:
    """An open clip.

    `width` and `height` are those of the upright frame, in pixels; `frames_expected` is what the container
    promises, 0 when it does not say. `frames` can be gone through once; `warnings` is complete after that.
    """

    width: int
    height: int
    frames_expected: int
    frames: Iterator[DecodedFrame]
    warnings: list[str] = field(default_factory=list)


@contextmanager
def open_clip(path: Path, start: int = 0) -> Iterator[Footage]:
    """Open a video or a picture (a clip of one frame); its frames come from index `start` on.

    Raises ClipError, with the reason in one line, when there is nothing to decode or a frame has more than
    100 megapixels, and OSError when the file cannot be read. Damage further on is skipped and ends in the
    warnings. Decoding is deterministic: another start gives the same frames.
    """
    with os.fdopen(os.open(path, os.O_RDONLY), "rb") as file:  # no name that FFmpeg would go by
        if not file.read(1):
            raise ClipError("the file is empty")
        file.seek(0)
        with _open_container(file) as container:
            stream = _video_stream(container)
            picture = _picture(container, stream, file)
            if picture is None:
                yield _video(container, stream, start)
            else:
                height, width = picture.shape[:2]
                frames = [DecodedFrame(0, 0.0, picture)]
                yield Footage(width, height, 1, iter(frames[start:]))


def _open_container(file: BinaryIO) -> InputContainer:
    try:
        return av.open(file, mode="r", options=_OPTIONS, metadata_errors="replace", io_open=_refuse)
    except av.ArgumentError:
        raise ClipError("this kind of file is not a video") from None
    except (av.FFmpegError, OSError):
        file.seek(0)
        if file.read(8)[4:] == b"ftyp":
            raise ClipError("its header (moov) is missing: the recording or the copy was cut off") from None
        raise ClipError("not a video") from None


def _refuse(url: str, *_: object) -> NoReturn:
    raise PermissionError(f"a clip may not open {url}")


def _video_stream(container: InputContainer) -> VideoStream:
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise ClipError("it has no video stream")
    stream = streams[0]
    try:
        context = stream.codec_context
        context.options = {"max_pixels": str(MAX_PIXELS)}
        context.thread_count = 1
    except (AttributeError, RuntimeError):
        raise ClipError("its video codec is unknown") from None
    if stream.width * stream.height > MAX_PIXELS:
        raise ClipError(f"a frame has {stream.width} × {stream.height} pixels, more than 100 megapixels")
    return stream


def _picture(container: InputContainer, stream: VideoStream, file: BinaryIO) -> Image | None:
    if not container.format.name.endswith("_pipe") or not stream.width:
        return None
    position = file.tell()
    file.seek(0)
    data = file.read(_LARGEST_PICTURE + 1)
    if len(data) > _LARGEST_PICTURE:
        raise ClipError("a picture of more than 512 MB")
    picture = decode_picture(data)
    file.seek(position)
    return picture


@dataclass
class _Damage:
    packets: int = 0
    frames: int = 0
    hidden: int = 0
    """Frames that an edit list leaves out on purpose."""


def _video(container: InputContainer, stream: VideoStream, start: int) -> Footage:
    damage = _Damage()
    raw = _decode(container, stream, damage)
    first = next(raw, None)
    if first is None:
        raise ClipError("no frame of it can be decoded: damaged, or larger than 100 megapixels")
    turned = _quarter_turns(first) % 2
    width, height = (first.height, first.width) if turned else (first.width, first.height)
    warnings: list[str] = []

    def frames() -> Iterator[DecodedFrame]:
        convert = VideoReformatter()
        rate = _rate(stream)
        time_s, index, resized = -1 / rate, -1, False
        for index, frame in enumerate(_chain(first, raw)):
            shown_s = _time_s(frame)
            time_s = time_s + 1 / rate if shown_s is None else shown_s
            resized = resized or (frame.width, frame.height) != (first.width, first.height)
            if index >= start:
                yield DecodedFrame(index, time_s, _upright(convert, frame, first))
        if resized:
            warnings.append(f"its frame size changes; all frames are shown as {width} × {height}")
        warnings.extend(_shortfalls(container, stream, damage, index + 1, time_s + 1 / rate, rate))

    return Footage(width, height, stream.frames, frames(), warnings)


def _rate(stream: VideoStream) -> float:
    """Return a stream's rate in frames per second, or the usual one where what it says is none."""
    rate = float(stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)
    return rate if rate >= _SLOWEST_RATE else _DEFAULT_RATE


def _time_s(frame: VideoFrame) -> float | None:
    """Return a frame's presentation time, or None where it has none, or one that cannot be."""
    if frame.pts is None or frame.time is None:
        return None
    time_s = float(frame.time)
    return time_s if abs(time_s) <= _LATEST_S else None


def _chain(first: VideoFrame, others: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    yield first
    yield from others


def _decode(container: InputContainer, stream: VideoStream, damage: _Damage) -> Iterator[VideoFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            decoded = packet.decode()
        except av.FFmpegError:
            damage.packets += 1
            continue
        damage.hidden += packet.is_discard
        for frame in decoded:
            damage.frames += frame.is_corrupt
            yield frame


def _quarter_turns(frame: VideoFrame) -> int:
    return round(frame.rotation / 90) % 4


def _upright(convert: VideoReformatter, frame: VideoFrame, like: VideoFrame) -> Image:
    converted = convert.reformat(frame, like.width, like.height, format="rgb24", threads=1)
    image = np.asarray(converted.to_ndarray(), np.uint8)
    return np.ascontiguousarray(np.rot90(image, _quarter_turns(like)))


def _shortfalls(
    container: InputContainer, stream: VideoStream, damage: _Damage, decoded: int, end_s: float, rate: float
) -> Iterator[str]:
    promised = stream.frames - damage.hidden
    promised_s = _length_s(container, stream)
    start_s = container.start_time / av.time_base if container.start_time else 0.0
    length_s = end_s - start_s
    missing_s = promised_s - length_s
    # some containers count frames that were never stored: frames are missing where their time is missing too
    if decoded < promised and (damage.packets or 2 * rate * missing_s >= promised - decoded):
        yield f"the header promises {promised} frames, {decoded} could be decoded"
    elif not stream.frames and missing_s > max(_SHORT_S, _SHORT_SHARE * promised_s):
        yield f"the header promises {promised_s:.1f} s, the pictures end after {length_s:.1f} s"
    if damage.packets:
        yield f"damaged packets, skipped: {damage.packets}"
    if damage.frames:
        yield f"damaged frames: {damage.frames}"


def _length_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0
