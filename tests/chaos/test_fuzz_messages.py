"""Whatever lies on a stream is a message or a MessageError, and what is a message harms no service."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import pytest

from services.dashboard import cards
from services.dashboard.view import (
    View,
    main_tracks,
    series_of,
    tracks_of,
    with_frames,
    with_neighbours,
    with_readings,
)
from services.recorder import files
from services.recorder.moments import build_moments
from services.recorder.summary import build_summary
from services.recorder.timeline import build_timeline
from services.retrieval.gallery import Gallery, GalleryFace, empty_gallery, extend
from services.retrieval.library import Library
from services.retrieval.loop import handle
from services.worker.batch import open_entry
from shared.errors import MessageError
from shared.messages import (
    VERSION,
    Box,
    Explanation,
    Face,
    Frame,
    Frames,
    Message,
    Neighbour,
    Neighbours,
    Place,
    Query,
    Reading,
    decode,
    encode,
)
from shared.queues.clips import Clip
from shared.queues.work import Entry
from shared.settings import Settings
from tests.chaos.mutations import mutate, mutate_values
from tests.services.worker.made import jpeg, picture

SHORT: Final = 2_000
LONG: Final = 100_000
KINDS: Final[Sequence[type[Message]]] = (Face, Reading, Query, Neighbours, Frames)
MODEL: Final = "made@00000000"
WIDTH: Final = 8
_PAGE: Final = 20
_DEEP_EVERY: Final = 100


class OneGallery(Library):
    """A library that holds the gallery of one model."""

    def __init__(self, gallery: Gallery) -> None:
        super().__init__(Path("/none"), Path("/none"))
        self._gallery = gallery

    def gallery_of(self, model: str) -> Gallery | None:
        return self._gallery if model == self._gallery.model else None


def _valid(random: Random) -> list[bytes]:
    """Return one message of each kind, all about one face."""
    frame = random.randrange(50)
    place = Place(
        clip="c",
        frame=frame,
        time_s=frame / 25,
        shot=frame // 20,
        face=0,
        track=frame // 10,
        box=Box(9, 9, 40, 40),
    )
    embedding = np.eye(WIDTH, dtype="<f2")[frame % WIDTH].tobytes()
    crop = jpeg(picture(frame))
    explanation = Explanation(embedding=embedding, cam=bytes(16), cam_side=4, aligned=crop)
    neighbour = Neighbour(label="sad", source="a.mp4", frame=3, time_s=0.1, similarity=0.5)
    messages: list[Message] = [
        Face(place=place, crop=crop, margin=0.25, explain=True),
        Reading(place=place, model=MODEL, probabilities=[1 / 7] * 7, aligned=True, explanation=explanation),
        Query(place=place, model=MODEL, emotion="sad", embedding=embedding),
        Neighbours(place=place, nearest=[neighbour] * 3, agrees=True),
        Frames(frames=[Frame(number, number / 25, number // 20, 1) for number in range(50)]),
    ]
    return [encode(message) for message in messages]


def _messages(seed: int, count: int) -> Iterator[bytes]:
    random = Random(seed)
    for number in range(count):
        if number % _DEEP_EVERY:
            damage = random.choice((mutate, mutate, mutate_values, mutate_values, _noise, _other_version))
            yield damage(random, random.choice(_valid(random)))
        else:
            yield _deep(random)


def _deep(random: Random) -> bytes:
    """Return a message of nested lists or maps, as deep as it is long."""
    return bytes([VERSION]) + random.choice((b"\x91", b"\x81\xa1x", b"\xdd\x00\x00\x00\x01")) * 50_000


def _noise(random: Random, data: bytes) -> bytes:
    return random.choice((b"", bytes([VERSION]))) + random.randbytes(random.randrange(200))


def _other_version(random: Random, data: bytes) -> bytes:
    return bytes([random.randrange(256)]) + data[1:]


def _understood(data: bytes) -> list[Message]:
    """Return what the bytes are taken for, as any of the kinds."""
    taken: list[Message] = []
    for kind in KINDS:
        with contextlib.suppress(MessageError):
            taken.append(decode(kind, data))
    return taken


def _handle(data: bytes, deliveries: int, library: Library) -> None:
    """Have the worker and retrieval open an entry; both answer with an outcome, or with a job to do."""
    entry = Entry("1-1", "c", data, deliveries)
    open_entry(entry, MODEL, 3)
    outcome = handle(entry, library, Settings())
    assert outcome.failure or decode(Neighbours, outcome.result)


def _record(messages: Sequence[Message], folder: Path) -> None:
    """Write the files of a clip that has these results."""
    frames = [frame for message in messages if isinstance(message, Frames) for frame in message.frames]
    readings = [message for message in messages if isinstance(message, Reading)]
    neighbours = [message for message in messages if isinstance(message, Neighbours)]
    timeline = build_timeline(frames, readings)
    clip = Clip(id="c", name="c", path="/c", results="/r", model=MODEL)
    summary = build_summary(clip, timeline, [])
    files.write_tables(folder, timeline, build_moments(readings, neighbours), summary)


def _show(messages: Sequence[Message]) -> None:
    """Lay out the page of a clip that has these results."""
    view = with_frames(View("c"), [f for m in messages if isinstance(m, Frames) for f in m.frames])
    view = with_readings(view, [message for message in messages if isinstance(message, Reading)])
    view = with_neighbours(view, [message for message in messages if isinstance(message, Neighbours)])
    if len(view.time_s):
        for tracks in (None, tracks_of(view), main_tracks(view)):
            times, shares = series_of(view, tracks)
            assert len(times) == len(shares)
            assert (np.diff(times) > 0).all()
        found = [(moment, view.answers.get(track)) for track, moment in view.moments.items()]
        assert cards.faces(view.clip, found, {track: f"track {track}" for track in view.moments})


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Each refusal is a line in the log; a hundred thousand of them tell nobody anything."""
    caplog.set_level("CRITICAL")


@pytest.fixture
def library() -> OneGallery:
    gallery = empty_gallery(MODEL, WIDTH)
    extend(gallery, np.eye(WIDTH, dtype=np.float32), [GalleryFace("sad", "a.mp4")] * WIDTH)
    return OneGallery(gallery)


def _fuzz(count: int, library: Library, folder: Path) -> int:
    """Put so many damaged messages before every reader, and return how many were messages all the same."""
    page: list[Message] = []
    understood = 0
    for number, data in enumerate(_messages(seed=5, count=count)):
        _handle(data, 1 + number % 5, library)
        page += _understood(data)
        if len(page) >= _PAGE:
            _record(page, folder)
            _show(page)
            understood, page = understood + len(page), []
    return understood


def test_damaged_messages_harm_no_reader(library: OneGallery, tmp_path: Path) -> None:
    assert _fuzz(SHORT, library, tmp_path) > SHORT // 20


@pytest.mark.long
def test_a_hundred_thousand_damaged_messages_harm_no_reader(library: OneGallery, tmp_path: Path) -> None:
    assert _fuzz(LONG, library, tmp_path) > LONG // 20
