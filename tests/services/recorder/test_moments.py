import json
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from services.recorder.moments import SCHEMA, build_moments, drop_source
from shared.messages import Neighbour
from tests.services.recorder.makers import MODEL, SAD, explanation, neighbours, place, reading


def test_explained_faces_only_in_order_and_once() -> None:
    table = build_moments(
        [
            reading(place(5), explanation=explanation()),
            reading(place(2, 1), SAD, explanation=explanation(0.5)),
            reading(place(2, 0)),
            reading(place(5), SAD, explanation=explanation()),
        ],
        [],
    )
    rows = table.to_pylist()
    assert [(row["frame"], row["face"], row["emotion"]) for row in rows] == [(2, 1, "sad"), (5, 0, "happy")]
    assert {row["model"] for row in rows} == {MODEL}
    assert rows[1]["embedding"] == explanation().embedding
    assert (rows[0]["neighbours"], rows[0]["agrees"]) == ("[]", None)


def test_neighbours_stand_beside_their_face(tmp_path: Path) -> None:
    where = place(4)
    table = build_moments(
        [reading(where, explanation=explanation())], [neighbours(where), neighbours(place(9))]
    )
    pq.write_table(table, tmp_path / "moments.parquet")
    (row,) = pq.read_table(tmp_path / "moments.parquet").to_pylist()
    assert row["agrees"] is True
    assert msgspec.convert(json.loads(row["neighbours"]), list[Neighbour]) == neighbours(where).nearest


def test_no_moments_keep_the_schema() -> None:
    assert build_moments([], []).schema == SCHEMA


def test_without_pictures_the_rest_is_there() -> None:
    table = build_moments([reading(place(5), explanation=explanation())], [], pictures=False)
    assert table.schema == SCHEMA
    (row,) = table.to_pylist()
    assert (row["aligned"], row["embedding"], row["cam"]) == (b"", explanation().embedding, explanation().cam)


def test_a_clip_is_taken_out_of_the_neighbours_of_others(tmp_path: Path) -> None:
    table = build_moments([reading(place(4), explanation=explanation())], [neighbours(place(4))])
    path = tmp_path / "moments.parquet"
    pq.write_table(table, path)
    before = path.read_bytes()
    drop_source(tmp_path, "a third.mp4")
    assert path.read_bytes() == before
    drop_source(tmp_path, "other.mp4")
    after = pq.read_table(path)
    assert after.schema == SCHEMA
    assert after["neighbours"].to_pylist() == ["[]"]
    assert after.drop_columns(["neighbours"]) == table.drop_columns(["neighbours"])
    assert [one.name for one in tmp_path.iterdir()] == ["moments.parquet"]


def test_moments_that_are_absent_or_damaged_are_left(tmp_path: Path) -> None:
    drop_source(tmp_path, "other.mp4")
    (tmp_path / "moments.parquet").write_bytes(b"damaged")
    drop_source(tmp_path, "other.mp4")
    assert (tmp_path / "moments.parquet").read_bytes() == b"damaged"
