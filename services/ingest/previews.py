"""Small pictures of what is being analysed, for whoever looks on."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import cv2

from shared.faces.detection import Image
from shared.messages import Face, Preview, Seen
from shared.queues import previews
from shared.queues.broker import LOST, Broker
from shared.video import DecodedFrame

_LONGER_SIDE: Final = 400
_QUALITY: Final = 70


class Previews:
    """Puts a picture of a clip on the broker whenever `every_s` seconds have passed; with 0, never.

    While the broker is away there are none: nothing waits for a picture.
    """

    def __init__(self, broker: Broker, clip_id: str, every_s: float) -> None:
        self._broker, self._clip, self._every_s = broker, clip_id, every_s
        self._next_s = time.monotonic() if every_s else float("inf")

    def show(self, frame: DecodedFrame, faces: Sequence[Face]) -> None:
        """Show a frame and the faces that were found in it, if it is time for a picture."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + self._every_s
        with suppress(*LOST):
            previews.put(self._broker, self._clip, preview_of(frame, faces))


def preview_of(frame: DecodedFrame, faces: Sequence[Face]) -> Preview:
    """Return a frame as a JPEG whose longer side has at most 400 pixels, with the faces in it."""
    height, width = frame.image.shape[:2]
    return Preview(
        frame=frame.index,
        time_s=frame.time_s,
        width=width,
        height=height,
        picture=_jpeg(frame.image),
        faces=[Seen(face.place.track, face.place.box) for face in faces],
    )


def _jpeg(image: Image) -> bytes:
    height, width = image.shape[:2]
    scale = min(1.0, _LONGER_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
