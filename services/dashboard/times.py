"""Times as they are shown: on a clock, and along an axis."""

from math import ceil, floor, log2, log10


def horizon(last_s: float, frame_s: float, frames_expected: int, growing: bool) -> float:
    """Return where the time axis of a clip ends, in seconds.

    It is the expected length, rounded up; of a growing clip of unknown length the next of 15, 30, 60, … So it
    stays put while the clip is read, and the timeline fills up instead of being squeezed.
    """
    length = max(last_s + frame_s, frames_expected * frame_s, 0.1)
    if growing and not frames_expected:
        return 15.0 * 2.0 ** max(ceil(log2(length / 15)), 0)
    step = 10.0 ** (floor(log10(length)) - 1)
    return round(ceil(round(length / step, 6)) * step, 6)


def clock(seconds: float, digits: int = 0) -> str:
    """Return a time as people write it, hours only where there are any: 3:07, 1:02:03.5."""
    scaled = round(max(seconds, 0.0) * 10**digits)
    whole, rest = divmod(scaled, 10**digits)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{text}.{rest:0{digits}}" if digits else text
