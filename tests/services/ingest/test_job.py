"""The job that brings a clip onto the stream, once, wherever it was interrupted."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from services.ingest import job
from services.ingest.job import ingest, ingest_clip
from shared.messages import Face, Frame, decode
from shared.queues import clips, produce, results, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.work import Stage
from shared.settings import Settings, environment_of
from tests.clips import cut_in_half, draw, walk, write_clip, write_picture

RED, BLUE = (180, 60, 50), (40, 60, 170)


def _order(
    settings: Settings, broker: Broker, path: Path, clip_id: str = "c1", *, keep_source: bool = False
) -> None:
    clip = Clip(
        id=clip_id,
        name=path.name,
        path=str(path),
        results=str(settings.results),
        model="m",
        keep_source=keep_source,
    )
    assert clips.create(broker, clip)


def _clip(broker: Broker, clip_id: str = "c1") -> Clip:
    clip = clips.get(broker, clip_id)
    assert clip is not None
    return clip


def _faces(broker: Broker) -> list[Face]:
    entries = work.take(broker, Stage.FACES, "w", 1000, 1) or work.take(broker, Stage.FACES, "w", 1000, 1)
    return [decode(Face, entry.data) for entry in entries]


def _frames(broker: Broker, clip_id: str = "c1") -> list[Frame]:
    return results.frames(broker, clip_id)[0]


def _film(folder: Path) -> Path:
    """Write a clip of two shots with a face in both, and one in the second that comes and goes."""
    first = [draw((50 + n, 60, 56), background=RED) for n in range(13)]
    guest = [(120.0, 60.0, 50.0)]
    second = [draw((50 + n, 60, 56), *guest * (n % 4 != 3), background=BLUE) for n in range(10)]
    return write_clip(folder / "film.mp4", [*first, *second])


def test_a_clip_is_brought_onto_the_stream(settings: Settings, broker: Broker, tmp_path: Path) -> None:
    _order(settings, broker, _film(tmp_path))
    ingest(settings, broker, "c1")
    clip, frames, faces = _clip(broker), _frames(broker), _faces(broker)
    assert (clip.state, clip.frames, clip.frames_expected) == (State.RUNNING, 23, 23)
    assert (clip.width, clip.height, clip.shots, clip.tracks) == (160, 120, 2, 3)
    assert clip.started_s > 0
    assert [frame.frame for frame in frames] == list(range(23))
    assert clip.faces == len(faces) == sum(frame.faces for frame in frames)
    assert {face.place.track for face in faces} == {0, 1, 2}
    assert [face.place.frame for face in faces if face.explain and face.place.track == 0] == [0]
    assert produce.position(broker, "c1").finished


def test_a_clip_without_a_face_is_complete_at_once(
    settings: Settings, broker: Broker, tmp_path: Path
) -> None:
    _order(settings, broker, write_clip(tmp_path / "a.mp4", [draw()] * 3))
    ingest(settings, broker, "c1")
    assert _clip(broker).state is State.FINISHING
    assert [frame.faces for frame in _frames(broker)] == [0, 0, 0]


def test_the_one_face_of_a_picture_is_explained(settings: Settings, broker: Broker, tmp_path: Path) -> None:
    _order(settings, broker, write_picture(tmp_path / "a.png", draw((80, 60, 60))))
    ingest(settings, broker, "c1")
    assert [face.explain for face in _faces(broker)] == [True]


@pytest.mark.parametrize("commits", range(8))
def test_a_job_that_is_killed_goes_on_where_it_was(
    settings: Settings, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    settings = settings.model_copy(update={"commit_frames": 3, "explain_every_s": 0.2})
    film = _film(tmp_path)
    _order(settings, broker, film, "whole")
    ingest(settings, broker, "whole")
    expected = _faces(broker), _frames(broker, "whole")
    _order(settings, broker, film)
    real, left = produce.wait_for_room, commits

    def wait_or_die(*arguments: Any) -> bool:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(produce, "wait_for_room", wait_or_die)
    with pytest.raises(KeyboardInterrupt):
        ingest(settings, broker, "c1")
    assert produce.position(broker, "c1").frame == 3 * commits
    monkeypatch.undo()
    ingest(settings, broker, "c1")
    faces = [
        msgspec.structs.replace(face, place=msgspec.structs.replace(face.place, clip="whole"))
        for face in _faces(broker)
    ]
    assert (faces, _frames(broker)) == expected
    assert _clip(broker).tracks == _clip(broker, "whole").tracks


def test_while_the_broker_is_away_the_job_waits(
    settings: Settings, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _order(settings, broker, write_clip(tmp_path / "a.mp4", walk(3)))
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    failures = [RedisConnectionError("gone"), RedisConnectionError("gone")]

    def ingest_or_fail(settings: Settings, broker: Broker, clip_id: str) -> bool:
        if failures:
            raise failures.pop()
        return ingest(settings, broker, clip_id)

    monkeypatch.setattr(job, "ingest", ingest_or_fail)
    ingest_clip("c1")
    assert _clip(broker).frames == 3


def test_a_second_run_adds_nothing(settings: Settings, broker: Broker, tmp_path: Path) -> None:
    _order(settings, broker, write_clip(tmp_path / "a.mp4", walk(3)))
    ingest(settings, broker, "c1")
    ingest(settings, broker, "c1")
    assert (_clip(broker).frames, len(_faces(broker))) == (3, 3)


def test_a_clip_that_is_gone_from_the_broker_is_nobodys_work(settings: Settings, broker: Broker) -> None:
    ingest(settings, broker, "unknown")
    assert broker.client.keys("*unknown*") == []


def test_a_clip_that_cannot_be_decoded_is_set_aside_with_its_reason(
    settings: Settings, broker: Broker, tmp_path: Path
) -> None:
    path = tmp_path / "it's \N{GRINNING FACE}.mp4"
    path.write_text("dear diary")
    _order(settings, broker, path)
    ingest(settings, broker, "c1")
    clip = _clip(broker)
    assert (clip.state, clip.error, clip.frames) == (State.FAILED, "not a video", 0)
    assert clip.finished_s > 0
    assert not path.exists()
    moved = settings.failed / path.name
    assert moved.read_text() == "dear diary"
    report = msgspec.json.decode((settings.failed / f"{path.name}.error.json").read_bytes())
    assert (report["clip"], report["reason"], set(report)) == (
        path.name,
        "not a video",
        {"clip", "reason", "when"},
    )


def test_a_clip_that_is_analysed_in_place_stays_there(
    settings: Settings, broker: Broker, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    path.touch()
    _order(settings, broker, path, keep_source=True)
    ingest(settings, broker, "c1")
    assert _clip(broker).error == "the file is empty"
    assert path.exists()
    assert not settings.failed.exists()


def test_a_clip_whose_file_has_gone_fails(settings: Settings, broker: Broker, tmp_path: Path) -> None:
    _order(settings, broker, tmp_path / "gone.mp4")
    ingest(settings, broker, "c1")
    clip = _clip(broker)
    assert (clip.state, clip.error) == (State.FAILED, "the file cannot be read: no such file or directory")


def test_half_a_clip_is_analysed_with_a_warning(settings: Settings, broker: Broker, tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "a.mp4", walk(40), container_options={"movflags": "faststart"})
    _order(settings, broker, cut_in_half(whole, tmp_path / "half.mp4"))
    ingest(settings, broker, "c1")
    clip = _clip(broker)
    assert 5 < clip.frames < 35
    assert clip.warnings[0] == f"the header promises 40 frames, {clip.frames} could be decoded"
    assert clip.frames_expected == clip.frames


@pytest.mark.shared
def test_real_clips_hold_the_faces_they_hold(settings: Settings, broker: Broker, clips_dir: Path) -> None:
    settings = settings.model_copy(update={"high_water": 100_000})
    for name in ("four_copies_grid.mp4", "no_face_960x540.mp4", "expressive_640x360.mp4"):
        _order(settings, broker, clips_dir / name, name, keep_source=True)
        ingest(settings, broker, name)
    four, none = _clip(broker, "four_copies_grid.mp4"), _clip(broker, "no_face_960x540.mp4")
    assert (four.frames, four.faces, four.tracks) == (72, 288, 4)
    assert (none.frames, none.faces, none.tracks, none.shots) == (95, 0, 0, 1)
    assert sum(frame.faces == 1 for frame in _frames(broker, "expressive_640x360.mp4")) >= 440
    assert _clip(broker, "expressive_640x360.mp4").tracks == 1
