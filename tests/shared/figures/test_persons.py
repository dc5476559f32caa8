import pyarrow as pa
import pytest

from services.recorder.timeline import build_timeline
from shared.figures.episodes import read_faces
from shared.figures.persons import by_person, moments_by_person
from shared.people import People
from tests.services.recorder.makers import frames, place, reading

PEOPLE = People(merged={4: 1}, hidden=frozenset({2}))


def test_merged_tracks_are_one_in_the_order_of_frames_and_hidden_ones_are_gone() -> None:
    found = [reading(place(frame, track=track)) for frame, track in enumerate((4, 1, 2, 4, 3))]
    faces = by_person(read_faces(build_timeline(frames([0.0, 0.04, 0.08, 0.12, 0.16]), found)), PEOPLE)
    assert list(zip(faces["track"], faces["frame"], strict=True)) == [(1, 0), (1, 1), (1, 3), (3, 4)]
    assert faces["end_s"].to_list() == pytest.approx([0.04, 0.08, 0.16, 0.2])


def test_no_faces_are_nobody() -> None:
    assert by_person(read_faces(build_timeline(frames([0.0]), [])), PEOPLE).empty


def test_moments_keep_their_columns() -> None:
    schema = pa.schema([("frame", pa.int64()), ("track", pa.int32()), ("aligned", pa.binary())])
    rows = [{"frame": frame, "track": track, "aligned": b""} for frame, track in enumerate((4, 2, 3))]
    table = moments_by_person(pa.Table.from_pylist(rows, schema=schema), PEOPLE)
    assert table.schema == schema
    assert table["track"].to_pylist() == [1, 3]
    assert table["frame"].to_pylist() == [0, 2]
