"""What a clip may take of the machine: computing time, by its length, and frames."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from shared.process import computing_at_most
from shared.settings import Settings
from shared.video import DecodedFrame, Footage, open_clip


@contextmanager
def open_within_limits(path: Path, start: int, settings: Settings) -> Iterator[Footage]:
    """Open a clip as `shared.video.open_clip` does, and hold its decoding to the limits.

    The time is the processor's, so that neither a busy machine nor waiting for workers counts: at first
    `decode_limit_s`, then `decode_frame_s` more for each frame, saved up to `decode_limit_s`. A decoder that
    goes round in circles has its process ended by the kernel (SIGXCPU, `setrlimit(2)`), wherever it is.
    After `max_frames` the clip is cut off, with a warning.
    """
    with ExitStack() as stack:
        with computing_at_most(settings.decode_limit_s):
            footage = stack.enter_context(open_clip(path, start))
        yield replace(footage, frames=_limited(footage, start, settings))


def _limited(footage: Footage, start: int, settings: Settings) -> Iterator[DecodedFrame]:
    most_s, frame_s = settings.decode_limit_s, settings.decode_frame_s
    left_s = most_s + start * frame_s
    while True:
        began_s = time.process_time()
        with computing_at_most(left_s):
            frame = next(footage.frames, None)
        left_s = min(most_s, left_s + frame_s - (time.process_time() - began_s))
        if frame is None:
            return
        if frame.index >= settings.max_frames:
            footage.warnings.append(f"it is cut off after {settings.max_frames} frames (REELMOOD_MAX_FRAMES)")
            return
        yield frame
