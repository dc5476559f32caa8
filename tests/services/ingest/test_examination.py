"""From frames to faces: which of them are explained, and where shots and tracks begin."""

from collections.abc import Sequence

import pytest

from services.ingest.examination import examine
from services.ingest.progress import Progress
from services.ingest.shots import ShotDetector
from shared.faces.detection import Image
from shared.messages import Box, Face, Frame
from shared.settings import Settings
from shared.video import DecodedFrame
from tests.clips import draw

FACE = Box(40, 30, 50, 50)


class Told:
    """A detector that answers what it was told, frame by frame."""

    def __init__(self, answers: Sequence[list[Box]]) -> None:
        self._answers = iter(answers)

    def detect(self, image: Image, expected: Sequence[Box] = ()) -> list[Box]:
        return next(self._answers)


def _examine(
    boxes: Sequence[list[Box]],
    *,
    every_s: float = 0.5,
    times_s: Sequence[float] | None = None,
    backgrounds: Sequence[tuple[int, int, int]] | None = None,
) -> list[tuple[Frame, list[Face]]]:
    settings, detector, shots = Settings(explain_every_s=every_s), Told(boxes), ShotDetector()
    progress, examined = Progress(), []
    for index in range(len(boxes)):
        image = draw(background=backgrounds[index] if backgrounds else (90, 90, 90))
        time_s = times_s[index] if times_s else index / 10
        progress, row, faces = examine(
            DecodedFrame(index, time_s, image),
            progress,
            clip="c",
            shots=shots,
            detector=detector,
            settings=settings,
        )
        examined.append((row, faces))
    return examined


def _explained(examined: list[tuple[Frame, list[Face]]]) -> list[tuple[int, int]]:
    return [(f.place.frame, f.place.track) for _, faces in examined for f in faces if f.explain]


def test_a_tracks_first_face_is_explained_and_then_one_every_so_often() -> None:
    assert _explained(_examine([[FACE]] * 13)) == [(0, 0), (5, 0), (10, 0)]


def test_each_track_has_its_own_clock() -> None:
    other = Box(100, 30, 50, 50)
    boxes = [[FACE]] * 2 + [[FACE, other]] * 6
    assert _explained(_examine(boxes)) == [(0, 0), (2, 1), (5, 0), (7, 1)]


def test_zero_explains_every_face() -> None:
    assert len(_explained(_examine([[FACE]] * 7, every_s=0))) == 7


def test_the_clock_is_presentation_time() -> None:
    times = [0.0, 0.1, 0.7, 0.8, 1.3, 1.35]
    assert _explained(_examine([[FACE]] * 6, times_s=times)) == [(0, 0), (2, 0), (4, 0)]


def test_times_that_jump_back_do_not_stop_it() -> None:
    times = [100.0, 0.0, 0.1, 0.6]
    assert [frame for frame, _ in _explained(_examine([[FACE]] * 4, times_s=times))] == [0, 1, 3]


def test_a_cut_starts_a_shot_and_new_tracks() -> None:
    examined = _examine([[FACE]] * 4, backgrounds=[(180, 60, 50)] * 2 + [(40, 60, 170)] * 2)
    assert [row.shot for row, _ in examined] == [0, 0, 1, 1]
    assert [faces[0].place.track for _, faces in examined] == [0, 0, 1, 1]
    assert _explained(examined) == [(0, 0), (2, 1)]


@pytest.mark.parametrize("boxes", [[], [FACE], [FACE, Box(95, 20, 30, 30)]])
def test_every_frame_has_a_row_that_counts_its_faces(boxes: list[Box]) -> None:
    [(row, faces)] = _examine([boxes])
    assert row == Frame(0, 0.0, 0, len(boxes))
    assert [(face.place.face, face.place.box) for face in faces] == list(enumerate(boxes))
