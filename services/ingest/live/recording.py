"""What a live source shows, as a video file."""

import logging
import threading
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from shared.folders import move_clip
from shared.video import DecodedFrame

logger = logging.getLogger(__name__)

_TICK: Final = Fraction(1, 1000)
_OPTIONS: Final = {"preset": "veryfast", "tune": "zerolatency", "crf": "22"}
_FRAGMENTED: Final = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
"""A file that is whole up to its last key frame, also when the process is killed."""
_GROUP: Final = 50
_RATE: Final = 25


class Recording:
    """A file `part` that grows with every frame, H.264; `finish` makes an ordinary MP4 of it.

    Frames keep their times, and get the size of the first one, made even. When it cannot be written,
    `failure` says why, and nothing else stops.
    """

    def __init__(self, part: Path) -> None:
        self._part = part
        self._lock = threading.Lock()
        self._ended = False
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._last = -1
        self.failure = ""

    def add(self, frame: DecodedFrame) -> None:
        """Append a frame; after the end, and after a failure, nothing."""
        with self._lock:
            if not (self._ended or self.failure):
                try:
                    self._encode(frame)
                except (OSError, av.FFmpegError) as error:
                    self._fail(error)

    def finish(self, folder: Path, name: str) -> Path | None:
        """End the file and return where it is now, in `folder`, under `name` or the next free one.

        None when nothing was recorded, it has been ended before, or it cannot be moved: `failure` then says
        why, and it stays where it is.
        """
        with self._lock:
            if self._ended or self._stream is None:
                self._ended = True
                return None
            self._close(self._stream)
            whole = self._part.with_suffix(".whole.part")
            try:
                source = whole if _is_copied(self._part, whole) else self._part
                moved = move_clip(source, folder, name)
                self._part.unlink(missing_ok=True)
                return moved
            except OSError as error:
                self._fail(error)
                return None
            finally:
                whole.unlink(missing_ok=True)

    def discard(self) -> None:
        """End the file and delete it."""
        with self._lock:
            if self._stream is not None and not self._ended:
                self._close(self._stream)
            self._ended = True
            self._part.unlink(missing_ok=True)

    def _close(self, stream: VideoStream) -> None:
        self._ended = True
        if self._container is not None:
            try:
                if not self.failure:
                    self._container.mux(stream.encode(None))
                self._container.close()
            except (OSError, av.FFmpegError) as error:
                self._fail(error)

    def _encode(self, frame: DecodedFrame) -> None:
        container, stream = self._begin(frame)
        image, size = frame.image, (stream.width, stream.height)
        if image.shape[1::-1] != size:
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
        self._last = max(self._last + 1, round(frame.time_s / _TICK))
        picture.pts, picture.time_base = self._last, _TICK
        container.mux(stream.encode(picture))

    def _begin(self, frame: DecodedFrame) -> tuple[OutputContainer, VideoStream]:
        if self._container is None or self._stream is None:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(self._part), "w", format="mp4", container_options=_FRAGMENTED)
            self._stream = self._container.add_stream("libx264", rate=_RATE, options=_OPTIONS)
            height, width = frame.image.shape[:2]
            self._stream.width, self._stream.height = max(2, width // 2 * 2), max(2, height // 2 * 2)
            self._stream.pix_fmt = "yuv420p"
            self._stream.codec_context.time_base = _TICK
            self._stream.codec_context.gop_size = _GROUP
        return self._container, self._stream

    def _fail(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or str(error)
        self.failure = f"the recording cannot be written: {reason.lower()}"
        logger.warning("%s", self.failure)


def _is_copied(source: Path, target: Path) -> bool:
    """Copy the packets into a file whose index stands in front, so that players can jump in it.

    Returns False when that cannot be done, as on a full disk.
    """
    try:
        with (
            av.open(str(source)) as old,
            av.open(str(target), "w", format="mp4", container_options={"movflags": "faststart"}) as new,
        ):
            stream = new.add_stream_from_template(old.streams.video[0])
            for packet in old.demux(old.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    new.mux(packet)
    except (OSError, av.FFmpegError) as error:
        logger.warning("the recording stays in fragments: %s", getattr(error, "strerror", None) or error)
        return False
    return True
