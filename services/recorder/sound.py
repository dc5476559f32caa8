"""A clip's own sound, on its way into an MP4 file."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

import av
from av import AudioStream, Packet
from av.container import InputContainer, OutputContainer

logger = logging.getLogger(__name__)

COPIED: Final = frozenset({"aac", "mp3", "mp3float", "opus", "libopus", "flac"})
"""Decoder names of what both MP4 and browsers take as it is; other sound is encoded as AAC."""

Packets: TypeAlias = "Iterator[Packet[Any]]"

_HIGHEST_RATE: Final = 48_000


@contextmanager
def open_original(path: Path) -> Iterator[InputContainer]:
    """Open a clip; whatever is written in it, no other file and no address is opened."""
    with path.open("rb") as file:
        options = {"protocol_whitelist": ""}
        container = av.open(file, mode="r", options=options, metadata_errors="replace", io_open=_refuse)
        with container:
            yield container


def _refuse(url: str, *_: object) -> NoReturn:
    raise PermissionError(f"a clip may not open {url}")


def sound_packets(source: InputContainer, target: OutputContainer, shift_s: float) -> "Packets | None":
    """Add a sound track to `target` and return its packets, ready to be muxed; None for a silent clip.

    `shift_s` is added to the sound's time, in seconds. Sound that cannot be read on ends early, with a
    warning in the log: the pictures matter more.
    """
    sound = source.streams.best("audio")
    if not isinstance(sound, AudioStream) or not sound.codec_context:
        return None
    if sound.codec_context.name in COPIED:
        return _until_damaged(_copied(source, sound, target.add_stream_from_template(sound), shift_s))
    rate = min(sound.rate or _HIGHEST_RATE, _HIGHEST_RATE)
    layout = "mono" if sound.channels == 1 else "stereo"
    encoder = target.add_stream("aac", rate=rate, layout=layout)
    return _until_damaged(_encoded(source, sound, encoder, shift_s))


def _copied(source: InputContainer, sound: AudioStream, copy: AudioStream, shift_s: float) -> Packets:
    for packet in source.demux(sound):
        if packet.dts is None or packet.pts is None or packet.is_corrupt or packet.is_discard:
            continue
        shift = round(shift_s / packet.time_base)
        packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
        packet.stream = copy
        yield packet


def _encoded(source: InputContainer, sound: AudioStream, encoder: AudioStream, shift_s: float) -> Packets:
    for frame in source.decode(sound):
        if frame.pts is not None and frame.time_base:
            frame.pts += round(shift_s / frame.time_base)
        yield from encoder.encode(frame)
    yield from encoder.encode(None)


def _until_damaged(packets: Packets) -> Packets:
    try:
        yield from packets
    except av.FFmpegError as error:
        logger.warning("the sound ends early: %s", error)
