"""The broker's own speed, through the functions that the services use: faces in, out, committed, read."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from benchmarks.machine import Machine, describe_machine
from benchmarks.timing import Tell
from shared.messages import Box, Explanation, Face, Frame, Place, Reading, decode, encode
from shared.queues import clips, produce, results, work
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip
from shared.queues.embedded import embedded_broker
from shared.queues.work import Entry, Outcome, Stage
from shared.settings import load_settings

_CONSUMER: Final = "bench"
_BLOCK_MS: Final = 1
_EMPTY: Final = 2
_PINGS: Final = 200
_PORTRAIT: Final = 4000
_EMBEDDING: Final = 512
_CAM_SIDE: Final = 14


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: `faces` of `crop_bytes` each, one a frame; every `explain_every`-th is explained."""

    faces: int = 20_000
    crop_bytes: int = 13_000
    frames_a_commit: int = 8
    batch: int = 32
    explain_every: int = 12
    repeats: int = 3


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A step, median of the repeats, by one process."""

    step: str
    faces_per_s: float
    us_a_face: float
    mb_per_s: float | None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured; `round_trip_us` is that of an empty command."""

    machine: Machine
    settings: Settings
    server: str
    round_trip_us: float
    rows: tuple[Row, ...]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that all faces took in each step, and how many came through."""

    produce: float
    take_and_commit: float
    read: float
    came_through: int


def measure(settings: Settings, tell: Tell) -> Measured:
    """Send faces through an embedded broker `repeats` times, without anything that looks at them."""
    machine = describe_machine()
    with _broker() as broker:
        server = broker.client.info("server")
        pings = [_seconds(broker.client.ping) for _ in range(_PINGS)]
        rounds = []
        for number in range(1, settings.repeats + 1):
            rounds.append(send_through(broker, settings, f"clip-{number}"))
            tell(f"round {number} of {settings.repeats}")
    crops_mb = settings.faces * settings.crop_bytes / 1e6
    seconds = {
        "produce": median(one.produce for one in rounds),
        "take and commit": median(one.take_and_commit for one in rounds),
        "read results": median(one.read for one in rounds),
    }
    return Measured(
        machine=machine,
        settings=settings,
        server=_describe(server),
        round_trip_us=1e6 * median(pings),
        rows=tuple(
            Row(
                step=step,
                faces_per_s=settings.faces / spent,
                us_a_face=1e6 * spent / settings.faces,
                mb_per_s=None if step == "read results" else crops_mb / spent,
            )
            for step, spent in seconds.items()
        ),
    )


def send_through(broker: Broker, settings: Settings, clip: str) -> Round:
    """Produce, take, commit and read a clip's faces, then forget the clip; return what each took."""
    clips.create(broker, Clip(id=clip, name=clip, path=f"/{clip}", results="/", model="bench"))
    crop = bytes(settings.crop_bytes)
    produced = _seconds(lambda: _produce(broker, settings, clip, crop))
    committed = _seconds(lambda: work_off(broker, settings.batch, _outcome))
    came: list[int] = []
    read = _seconds(lambda: came.append(_read(broker, clip)))
    clips.forget(broker, clip)
    return Round(produce=produced, take_and_commit=committed, read=read, came_through=came[0])


@contextmanager
def _broker() -> Iterator[Broker]:
    with (
        tempfile.TemporaryDirectory(prefix="reelmood-bench-") as folder,
        embedded_broker(Path(folder)) as url,
    ):
        yield connect(load_settings(home=Path(folder), redis_url=url))


def _describe(server: Mapping[str, object]) -> str:
    """Return name and version; a Valkey tells Redis's version, too."""
    return " ".join(
        str(server.get(name, other))
        for name, other in (("server_name", "redis"), ("valkey_version", server["redis_version"]))
    )


def _produce(broker: Broker, settings: Settings, clip: str, crop: bytes) -> None:
    for start in range(0, settings.faces, settings.frames_a_commit):
        numbers = range(start, min(start + settings.frames_a_commit, settings.faces))
        produce.commit(
            broker,
            clip,
            expected=start,
            frames=[Frame(number, number / 25, 0, 1) for number in numbers],
            faces=[made_face(clip, number, crop, settings.explain_every) for number in numbers],
            state=b"",
            tracks=1,
            shots=1,
            last=numbers.stop == settings.faces,
        )


def made_face(clip: str, number: int, crop: bytes, explain_every: int) -> Face:
    """Return the only face of frame `number`; every so many are to be explained."""
    place = Place(clip=clip, frame=number, time_s=number / 25, shot=0, face=0, track=0, box=Box(0, 0, 9, 9))
    return Face(place=place, crop=crop, margin=0.25, explain=number % explain_every == 0)


def work_off(broker: Broker, batch: int, read: Callable[[Entry], Outcome]) -> None:
    """Take `batch` faces at a time, and commit what `read` makes of each, until nothing is left.

    The first look may only make the group.
    """
    empty = 0
    while empty < _EMPTY:
        entries = work.take(broker, Stage.FACES, _CONSUMER, batch, _BLOCK_MS)
        empty = 0 if entries else empty + 1
        work.commit(broker, Stage.FACES, [read(entry) for entry in entries])


def _outcome(entry: Entry) -> Outcome:
    face = decode(Face, entry.data)
    explanation = Explanation(
        embedding=bytes(2 * _EMBEDDING),
        cam=bytes(_CAM_SIDE**2),
        cam_side=_CAM_SIDE,
        aligned=bytes(_PORTRAIT),
    )
    reading = Reading(
        place=face.place,
        model="bench",
        probabilities=[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        aligned=True,
        explanation=explanation if face.explain else None,
    )
    return Outcome(entry, encode(reading))


def _read(broker: Broker, clip: str) -> int:
    count, cursor = 0, results.START
    while True:
        readings, after = results.readings(broker, clip, cursor)
        if after == cursor:
            return count
        count, cursor = count + len(readings), after


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
