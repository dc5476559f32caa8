import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.retrieval.index import NOTHING, FlatIndex


def test_an_empty_index_answers_nothing() -> None:
    _, rows = FlatIndex(4).search(np.ones((2, 4), np.float32), 3)
    assert (rows == NOTHING).all()


def test_length_does_not_count() -> None:
    index = FlatIndex(2)
    index.add(np.array([[100, 0], [0, 0.01], [1, 1]], np.float32))
    similarities, rows = index.search(np.array([[0, 7]], np.float32), 3)
    assert rows.tolist() == [[1, 2, 0]]
    np.testing.assert_allclose(similarities, [[1, np.sqrt(0.5), 0]], atol=1e-6)


def test_rows_that_are_left_out() -> None:
    index = FlatIndex(2)
    index.add(np.array([[1, 0], [1, 0.1], [1, 0.2]], np.float32))
    _, rows = index.search(np.array([[1, 0]], np.float32), 3, range(2))
    assert rows.tolist() == [[2, NOTHING, NOTHING]]


@pytest.mark.parametrize("shape", [(1, 3), (4,), (1, 5)])
def test_another_dimension_is_refused(shape: tuple[int, ...]) -> None:
    index = FlatIndex(4)
    with pytest.raises(ValueError, match="dimension 4"):
        index.add(np.ones(shape, np.float32))
    with pytest.raises(ValueError, match="dimension 4"):
        index.search(np.ones(shape, np.float32), 1)
    assert len(index) == 0


@settings(max_examples=30)
@given(
    st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(0, 10)
)
def test_the_same_as_by_hand(count: int, k: int, seed: int, start: int, length: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 16)).astype(np.float32)
    asked = random.normal(size=(3, 16)).astype(np.float32)
    index = FlatIndex(16)
    index.add(rows)
    without = range(min(start, count), min(start + length, count))
    similarities, found = index.search(asked, k, without)

    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosine = (asked / np.linalg.norm(asked, axis=1, keepdims=True)) @ unit.T
    cosine[:, list(without)] = -2
    best = -np.sort(-cosine, axis=1)[:, : min(k, count - len(without))]
    np.testing.assert_allclose(similarities[:, : best.shape[1]], best, atol=1e-5)
    assert (found[:, best.shape[1] :] == NOTHING).all()
    assert not set(found.ravel().tolist()) & set(without)
