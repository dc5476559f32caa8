import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.retrieval.index import NOTHING, GrowingIndex


def test_an_empty_index_answers_nothing() -> None:
    _, rows = GrowingIndex(4).search(np.ones((2, 4), np.float32), 3)
    assert (rows == NOTHING).all()


def test_length_does_not_count() -> None:
    index = GrowingIndex(2)
    index.add(np.array([[100, 0], [0, 0.01], [1, 1]], np.float32))
    similarities, rows = index.search(np.array([[0, 7]], np.float32), 3)
    assert rows.tolist() == [[1, 2, 0]]
    np.testing.assert_allclose(similarities, [[1, np.sqrt(0.5), 0]], atol=1e-6)


def test_rows_that_are_left_out() -> None:
    index = GrowingIndex(2)
    index.add(np.array([[1, 0], [1, 0.1], [1, 0.2]], np.float32))
    _, rows = index.search(np.array([[1, 0]], np.float32), 3, range(2))
    assert rows.tolist() == [[2, NOTHING, NOTHING]]


@pytest.mark.parametrize("shape", [(1, 3), (4,), (1, 5)])
def test_another_dimension_is_refused(shape: tuple[int, ...]) -> None:
    index = GrowingIndex(4)
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
    index = GrowingIndex(16)
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


def _people(count: int, seed: int, dimension: int = 64) -> NDArray[np.float32]:
    """Rows of 2,000 people, most of them much like others of the same person."""
    people = np.random.default_rng(0).normal(size=(2000, dimension))
    random = np.random.default_rng(seed)
    rows = people[random.integers(0, 2000, count)] + 0.5 * random.normal(size=(count, dimension))
    return rows.astype(np.float32)


@pytest.mark.parametrize("parts", [[25_000], [15_000, 10_000], [21_000, 3_000, 70_000]])
def test_a_large_index_finds_nearly_what_exact_search_finds(parts: list[int]) -> None:
    rows = _people(sum(parts), 1)
    index = GrowingIndex(64)
    for part in np.split(rows, np.cumsum(parts)[:-1]):
        index.add(part)
    assert len(index) == len(rows)
    asked = _people(64, 2)
    similarities, found = index.search(asked, 5)

    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosine = (asked / np.linalg.norm(asked, axis=1, keepdims=True)) @ unit.T
    exact = np.argsort(-cosine, axis=1)[:, :5]
    hits = [len(set(mine) & set(theirs)) for mine, theirs in zip(found.tolist(), exact.tolist(), strict=True)]
    assert sum(hits) >= 0.95 * exact.size
    np.testing.assert_allclose(similarities, np.take_along_axis(cosine, found, axis=1), atol=0.03)

    first = int(found[0, 0])
    _, others = index.search(asked[:1], 5, range(first, first + 1))
    assert first not in others


def test_the_same_rows_give_the_same_large_index() -> None:
    rows, asked = _people(22_000, 3), _people(10, 4)
    answers = []
    for _ in range(2):
        index = GrowingIndex(64)
        index.add(rows)
        answers.append(index.search(asked, 5)[1].tolist())
    assert answers[0] == answers[1]
