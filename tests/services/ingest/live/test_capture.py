import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest

from services.ingest.live import capture as module
from services.ingest.live.capture import Capture
from services.ingest.live.source import SourceError
from shared.faces.detection import Image
from shared.video import DecodedFrame


class Script:
    """A source that plays one part after the other, each of so many frames, and then breaks off for good."""

    def __init__(self, *parts: int | SourceError) -> None:
        self._parts = iter(parts)
        self.over = threading.Event()

    @contextmanager
    def __call__(self) -> Iterator[Iterator[Image]]:
        part = next(self._parts, None)
        if part is None:
            self.over.set()
            raise SourceError("gone")
        if isinstance(part, SourceError):
            raise part
        yield iter([np.zeros((4, 4, 3), np.uint8)] * part)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_S", 0.001)


def run(script: Script, stop: threading.Event, kept: list[DecodedFrame] | None = None) -> Capture:
    capture = Capture(script, "the camera", stop, None if kept is None else kept.append)
    threading.Thread(target=capture.run, daemon=True).start()
    return capture


def indexes(capture: Capture) -> Sequence[int]:
    found = []
    while (captured := capture.take(0)) is not None:
        found.append(captured.frame.index)
    return found


def test_the_oldest_frames_are_dropped_and_counted_by_reason() -> None:
    script, stop, kept = Script(10), threading.Event(), list[DecodedFrame]()
    capture = run(script, stop, kept)
    assert script.over.wait(20)
    assert indexes(capture) == [6, 7, 8, 9]
    assert capture.dropped == {"detection_behind": 6}
    assert [frame.index for frame in kept] == list(range(10))
    stop.set()


def test_whoever_takes_the_frames_says_why_they_wait() -> None:
    script, stop = Script(6), threading.Event()
    capture = Capture(script, "the camera", stop)
    capture.blame = "workers_behind"
    threading.Thread(target=capture.run, daemon=True).start()
    assert script.over.wait(20)
    assert capture.dropped == {"workers_behind": 2}
    stop.set()


def test_a_source_that_breaks_off_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    script, stop = Script(2, SourceError("no route"), SourceError("no route"), 2), threading.Event()
    capture = run(script, stop)
    assert script.over.wait(20)
    assert indexes(capture) == [0, 1, 2, 3]
    assert capture.breaks == 2
    stop.set()
    assert caplog.messages.count("the camera is back") == 1
    assert "the camera: it has ended; trying again" in caplog.messages


def test_a_source_that_never_opened_is_an_error() -> None:
    capture = run(Script(SourceError("connection refused")), threading.Event())
    with pytest.raises(SourceError, match="connection refused"):
        capture.take(20)


def test_nothing_waits_for_a_frame_that_does_not_come() -> None:
    assert Capture(Script(), "the camera", threading.Event()).take(0) is None
