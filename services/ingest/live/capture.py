"""Reads a live source in a thread of its own: nothing that is slow behind it may hold the source up."""

import logging
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from services.ingest.live.source import SourceError
from shared.faces.detection import Image
from shared.video import DecodedFrame

logger = logging.getLogger(__name__)

Open = Callable[[], AbstractContextManager[Iterator[Image]]]
"""Opens a source as `services.ingest.live.source.open_source` does."""

_HELD: Final = 4
"""Frames that wait to be analysed; a fifth one pushes out the oldest."""
_FIRST_S: Final = 0.5
_LONGEST_S: Final = 30.0


@dataclass(frozen=True)
class Captured:
    """A frame of a live source; its time counts from the first one. `at_s`: when it came, Unix seconds."""

    frame: DecodedFrame
    at_s: float


class Capture:
    """The newest frames of a live source, which is opened again whenever it breaks off.

    `name` stands in the log. `blame` is why frames wait: whoever takes them sets it, and a frame that is
    pushed out counts for it in `dropped`. `keep`, where given, gets every frame before anything can drop it.
    """

    blame = "detection_behind"

    def __init__(
        self,
        opener: Open,
        name: str,
        stop: threading.Event,
        keep: Callable[[DecodedFrame], None] | None = None,
    ) -> None:
        self._open, self._name, self._stop, self._keep = opener, name, stop, keep
        self._frames: deque[Captured] = deque()
        self._changed = threading.Condition()
        self._index, self._began_s = 0, 0.0
        self._failure: Exception | None = None
        self.dropped: Counter[str] = Counter()
        self.breaks = 0
        self.note = ""
        """What is wrong with the source at the moment."""

    def run(self) -> None:
        """Read the source until `stop` is set, opening it again whenever it breaks off."""
        try:
            self._go_on()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that takes the frames
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def is_there(self, patience_s: float) -> bool:
        """Tell whether a frame waits, or comes in time. Raises as `take`."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._failure, patience_s)
            if self._failure is not None:
                raise self._failure
            return bool(self._frames)

    def take(self, patience_s: float) -> Captured | None:
        """Return the oldest frame that waits, or None when none comes in time.

        Raises SourceError when the source could not be opened at first, and whatever else ended the thread.
        """
        with self._changed:
            return self._frames.popleft() if self.is_there(patience_s) else None

    def _go_on(self) -> None:
        failures = 0
        while not self._stop.is_set():
            before = self._index
            try:
                with self._open() as images:
                    self._read(images)
            except SourceError as error:
                if not self._index:
                    raise
                self.note = str(error)
            if self._stop.is_set():
                return
            if self._index > before:
                failures = 0
                self.breaks += 1
                logger.warning("%s: %s; trying again", self._name, self.note)
            longest = min(_LONGEST_S, _FIRST_S * 2**failures)
            self._stop.wait(random.uniform(longest / 2, longest))  # noqa: S311 - nothing secret
            failures += 1

    def _read(self, images: Iterator[Image]) -> None:
        for image in images:
            if self.note:
                logger.info("%s is back", self._name)
                self.note = ""
            self._put(image)
            if self._stop.is_set():
                return
        raise SourceError("it has ended")

    def _put(self, image: Image) -> None:
        now_s = time.monotonic()
        self._began_s = self._began_s or now_s
        frame = DecodedFrame(self._index, now_s - self._began_s, image)
        self._index += 1
        if self._keep is not None:
            self._keep(frame)
        with self._changed:
            if len(self._frames) >= _HELD:
                self._frames.popleft()
                self.dropped[self.blame] += 1
            self._frames.append(Captured(frame, time.time()))
            self._changed.notify_all()
