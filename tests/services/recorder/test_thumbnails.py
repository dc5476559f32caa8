from pathlib import Path

import msgspec

from services.recorder.moments import build_moments
from services.recorder.thumbnails import best_faces, write_thumbnails
from services.recorder.timeline import build_timeline
from shared.messages import Box, Reading
from tests.services.recorder.makers import HAPPY, SAD, explanation, frames, place, reading


def pictured(
    frame: int, picture: bytes, probabilities: list[float], *, side: int = 40, track: int = 0, face: int = 0
) -> Reading:
    where = place(frame, face, track=track, box=Box(0, 0, side, side))
    shown = msgspec.structs.replace(explanation(), aligned=picture)
    return reading(where, probabilities, explanation=shown)


def best(readings: list[Reading], *, pictures: bool = True) -> dict[int, bytes]:
    times = [index / 25 for index in range(10)]
    timeline = build_timeline(frames(times), readings)
    return best_faces(timeline, build_moments(readings, [], pictures=pictures))


def test_the_larger_and_surer_face_of_each_track() -> None:
    found = [
        pictured(0, b"sad", SAD),  # 40 · 0.4 = 16
        pictured(1, b"happy", HAPPY),  # 40 · 0.6 = 24
        pictured(2, b"large", SAD, side=61),  # 61 · 0.4 = 24.4
        pictured(3, b"later", SAD, side=61),
        pictured(3, b"other", SAD, track=1, face=1),
    ]
    assert best(found) == {0: b"large", 1: b"other"}


def test_a_face_with_landmarks_comes_before_a_larger_one_without() -> None:
    plain = msgspec.structs.replace(pictured(0, b"plain", HAPPY, side=90), aligned=False)
    assert best([plain, pictured(1, b"aligned", SAD)]) == {0: b"aligned"}
    assert best([plain]) == {0: b"plain"}


def test_without_pictures_there_is_none() -> None:
    assert best([pictured(0, b"face", HAPPY)], pictures=False) == {}
    assert best([reading(place(0), HAPPY)]) == {}


def test_one_file_per_track_and_no_folder_without(tmp_path: Path) -> None:
    write_thumbnails(tmp_path / "none", {})
    assert not (tmp_path / "none").exists()
    write_thumbnails(tmp_path / "some", {3: b"three", 12345: b"many"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "some").iterdir()} == {
        "track-0003.jpg": b"three",
        "track-12345.jpg": b"many",
    }
