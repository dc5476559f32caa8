from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.moments import MOMENTS, decode_embeddings, stamps


@given(st.lists(st.lists(st.floats(-1, 1, width=16), min_size=3, max_size=3), min_size=1, max_size=5))
def test_embeddings_come_back(rows: list[list[float]]) -> None:
    decoded = decode_embeddings([np.asarray(row, "<f2").tobytes() for row in rows])
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, np.asarray(rows, np.float32))


@pytest.mark.parametrize("rows", [[b""], [b"abc"], [b"abcd", b"ab"], [b"\x00\x7c"], []])
def test_damaged_embeddings_are_refused(rows: list[bytes]) -> None:
    with pytest.raises(ValueError, match="embeddings"):
        decode_embeddings(rows)


def test_a_file_has_another_stamp_after_a_change(tmp_path: Path) -> None:
    assert stamps(tmp_path / "absent") == {}
    for name in ("seen", ".in-the-making"):
        (tmp_path / name).mkdir()
        (tmp_path / name / MOMENTS).write_bytes(b"a")
    (tmp_path / "without").mkdir()
    before = stamps(tmp_path)
    assert list(before) == [tmp_path / "seen" / MOMENTS]
    (tmp_path / "seen" / MOMENTS).write_bytes(b"ab")
    assert stamps(tmp_path) != before
