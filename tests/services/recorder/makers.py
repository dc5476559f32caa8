"""Made readings and made clips for the recorder's tests."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from shared.messages import Box, Explanation, Frame, Neighbour, Neighbours, Place, Reading
from shared.queues.clips import Clip

MODEL = "nano@00000000"
HAPPY = [0.02, 0.03, 0.05, 0.6, 0.2, 0.04, 0.06]
SAD = [0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.1]


def place(frame: int, face: int = 0, *, track: int = 0, shot: int = 0, box: Box | None = None) -> Place:
    where = box or Box(20 + 60 * face, 30, 40, 40)
    return Place(clip="clip", frame=frame, time_s=frame / 25, shot=shot, face=face, track=track, box=where)


def reading(
    where: Place, probabilities: list[float] | None = HAPPY, *, explanation: Explanation | None = None
) -> Reading:
    return Reading(
        place=where,
        model=MODEL,
        probabilities=probabilities,
        aligned=probabilities is not None,
        explanation=explanation,
        error=None if probabilities else "no face in the crop",
    )


def explanation(value: float = 1.0) -> Explanation:
    embedding = np.full(8, value, dtype="<f2")
    return Explanation(
        embedding=embedding.tobytes(), cam=bytes(range(49)), cam_side=7, aligned=b"\xff\xd8jpeg"
    )


def neighbours(where: Place) -> Neighbours:
    found = Neighbour(label="happy", source="other.mp4", frame=3, time_s=0.12, similarity=0.9)
    return Neighbours(place=where, nearest=[found], agrees=True)


def frames(times: list[float], faces: dict[int, int] | None = None) -> list[Frame]:
    return [Frame(i, time_s, 0, (faces or {}).get(i, 0)) for i, time_s in enumerate(times)]


def clip(**fields: object) -> Clip:
    known: dict[str, object] = {
        "id": "0123456789abcdef",
        "name": "clip.mp4",
        "path": "/nowhere",
        "results": "/no",
    }
    return Clip(**(known | {"model": MODEL} | fields))  # type: ignore[arg-type]


def make_video(
    path: Path,
    times: list[float],
    *,
    size: tuple[int, int] = (160, 120),
    pixels: str = "yuv420p",
    sound: str | None = None,
    rate: int = 16_000,
) -> None:
    """Write a clip of plain frames at the given times (s), with a tone when `sound` names its codec."""
    base = Fraction(1, 12_800)
    with av.open(path, "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = *size, pixels
        pictures.codec_context.time_base = base
        tone = container.add_stream(sound, rate=rate, layout="mono") if sound else None
        assert tone is None or isinstance(tone, av.AudioStream)
        for index, time_s in enumerate(times):
            image = np.full((size[1], size[0], 3), 40 + 3 * (index % 60), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(time_s / base), base
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        if tone is not None:
            wave = np.sin(np.arange(int(rate * times[-1])) * 0.1)
            samples = (wave * 8000).astype(np.int16)[np.newaxis]
            noise = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            noise.sample_rate, noise.pts, noise.time_base = rate, 0, Fraction(1, rate)
            container.mux(tone.encode(noise))
            container.mux(tone.encode(None))


def show_times(path: Path) -> list[float]:
    with av.open(path) as container:
        return [frame.time for frame in container.decode(video=0) if frame.time is not None]


def sound_of(path: Path) -> tuple[str, float] | None:
    """Return codec and duration (s) of a file's sound."""
    with av.open(path) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, av.AudioStream):
            return None
        samples = sum(frame.samples for frame in container.decode(stream))
        return stream.codec_context.name, samples / (stream.rate or 1)
