"""Live sources: a camera of this machine by its number, or a stream by its address."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
from av.container import InputContainer

from shared.errors import ReelmoodError
from shared.faces.detection import Image
from shared.folders import printable
from shared.video import FORMATS, MAX_PIXELS

SCHEMES: Final = ("rtsp", "rtsps", "http", "https")

_TIMEOUT_S: Final = 10.0
"""Longest silence of a stream, at its start and later."""
_OPTIONS: Final = {
    "format_whitelist": f"{FORMATS},rtsp,sdp,rtp,hls",
    # No file: a stream cannot make FFmpeg open one of this machine.
    "protocol_whitelist": "http,https,tls,tcp,udp,rtp,rtsp,rtsps,crypto",
    "rtsp_transport": "tcp",
    "fflags": "nobuffer",
    "max_pixels": str(MAX_PIXELS),
}


class SourceError(ReelmoodError):
    """A live source that cannot be read (any more); the message holds no part of its address."""


def check(address: str) -> None:
    """Raise SourceError unless an address is a camera's number or the URL of a stream."""
    if address.isascii() and address.isdigit() and len(address) < 4:
        return
    try:
        parts = urlsplit(address)
        if parts.scheme.lower() in SCHEMES and parts.hostname and parts.port != 0:
            return
    except ValueError:
        pass
    raise SourceError("a live source is a camera's number (0) or an address, rtsp://… or http://…")


def shown(address: str) -> str:
    """Return a source's name as it may be shown: of an address scheme, host and port alone.

    User, password, path and options may all be secrets of a camera.
    """
    if address.isdigit():
        return f"camera {address}"
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return printable(f"{parts.scheme}://{parts.hostname}{port}")


@contextmanager
def open_source(address: str) -> Iterator[Iterator[Image]]:
    """Open a live source and yield its frames, RGB uint8 [H, W, 3], as they come.

    Raises SourceError when it cannot be opened; its frames do so when it breaks off or falls silent for 10 s.
    """
    if address.isdigit():
        with _camera(int(address)) as frames:
            yield frames
    else:
        with _stream(address) as frames:
            yield frames


@contextmanager
def _camera(number: int) -> Iterator[Iterator[Image]]:
    device = cv2.VideoCapture(number)
    try:
        if not device.isOpened():
            raise SourceError("there is no such camera, or another program has it")
        yield _pictures(device)
    finally:
        device.release()


def _pictures(device: cv2.VideoCapture) -> Iterator[Image]:
    while True:
        there, picture = device.read()
        if not there:
            raise SourceError("the camera gives no more pictures")
        yield np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


@contextmanager
def _stream(address: str) -> Iterator[Iterator[Image]]:
    try:
        container = av.open(
            address, mode="r", options=_OPTIONS, timeout=_TIMEOUT_S, metadata_errors="replace"
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SourceError(_reason(error)) from None
    with container:
        yield _decoded(container)


def _decoded(container: InputContainer) -> Iterator[Image]:
    if not container.streams.video:
        raise SourceError("it has no video")
    stream = container.streams.video[0]
    # Threads that work on a frame each would hold as many frames back.
    stream.thread_count = 1
    packets, last_s = container.demux(stream), time.monotonic()
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                raise SourceError("it has ended")
            frames = packet.decode()
        except av.InvalidDataError:
            if time.monotonic() - last_s > _TIMEOUT_S:
                raise SourceError("nothing of it can be decoded") from None
            continue
        except (av.FFmpegError, OSError) as error:
            raise SourceError(_reason(error)) from None
        for frame in frames:
            last_s = time.monotonic()
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _reason(error: Exception) -> str:
    """Return why a stream cannot be read, without the address that FFmpeg's own text repeats."""
    if isinstance(error, av.HTTPUnauthorizedError | av.HTTPForbiddenError):
        return "it refuses the user or the password"
    if isinstance(error, av.FFmpegError | OSError) and error.strerror:
        return error.strerror.lower()
    return "it cannot be read"
