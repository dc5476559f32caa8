from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import DataError
from tests.training.datasets.tables import pixels_of, write_table
from training.datasets.pixels import CODES, read_pixels

ANY_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.integers(1, 4).flatmap(
            lambda side: st.lists(st.integers(0, 255), min_size=side * side, max_size=side * side)
        ),
        st.sampled_from(["Training", "PublicTest", "PrivateTest"]),
    ),
    max_size=6,
)


@ANY_FILE
@given(ROWS)
def test_what_was_written_is_read(tmp_path: Path, rows: list[tuple[int, list[int], str]]) -> None:
    read = list(read_pixels(write_table(tmp_path / "faces.csv", rows)))
    assert [(row.number, row.emotion, row.usage) for row in read] == [
        (number, CODES[code], usage) for number, (code, _, usage) in enumerate(rows)
    ]
    for row, (_, pixels, _) in zip(read, rows, strict=True):
        assert row.pixels.dtype == np.uint8
        assert row.pixels.shape[0] == row.pixels.shape[1]
        assert row.pixels.ravel().tolist() == pixels


@ANY_FILE
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"emotion,pixels\n{text}".encode()))
def test_anything_else_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "faces.csv"
    file.write_bytes(content)
    try:
        list(read_pixels(file))
    except DataError as error:
        assert str(error).startswith(str(file))  # noqa: PT017 - an error may come or not


def test_only_the_usages_asked_for_are_read(tmp_path: Path) -> None:
    file = write_table(tmp_path / "faces.csv", [(0, pixels_of(0), "Training"), (1, "broken", "PrivateTest")])
    assert [row.number for row in read_pixels(file, frozenset({"Training"}))] == [0]


def test_columns_may_come_in_any_order_and_with_spaces(tmp_path: Path) -> None:
    file = write_table(tmp_path / "faces.csv", [(4, "Training", [1, 2, 3, 4])], "emotion, Usage, pixels")
    (row,) = read_pixels(file, frozenset({"Training"}))
    assert (row.emotion, row.pixels.tolist(), row.subject) == ("sad", [[1, 2], [3, 4]], None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((8, [1]), "index out of range"),
        ((-1, [1]), "emotion -1"),
        (("sad", [1]), "invalid literal"),
        ((0, [1, 2]), "2 pixels"),
        ((0, []), "0 pixels"),
        ((0, [256]), "range"),
        ((0, ["x"]), "invalid literal"),
        ((0,), "no attribute"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: tuple[object, ...], reason: str) -> None:
    file = write_table(tmp_path / "faces.csv", [(0, [7]), row], "emotion,pixels")
    with pytest.raises(DataError, match=rf"faces\.csv, line 3: no emotion and pixels .*{reason}"):
        list(read_pixels(file))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    file = write_table(tmp_path / "faces.csv", [], "emotion,Usage")
    with pytest.raises(DataError, match=r"faces\.csv lacks the columns pixels$"):
        list(read_pixels(file))
    with pytest.raises(DataError, match=r"none\.csv cannot be read as a table"):
        list(read_pixels(tmp_path / "none.csv"))
