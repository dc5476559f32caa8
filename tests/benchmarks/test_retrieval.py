"""The index in use beside exact search."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.retrieval import ExactIndex, Settings, measure, recall
from services.retrieval.index import GrowingIndex

TINY = Settings(sizes=(300, 700), dimension=16, batch=4, queries=3)


class Forgetful(ExactIndex):
    """Keeps every other vector only, under its own row."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self.added: list[int] = []

    def add(self, embeddings: NDArray[np.float32]) -> None:
        self.added.append(len(embeddings))
        super().add(embeddings * (np.arange(len(embeddings)) % 2 == 0)[:, None])


def test_recall_is_the_part_of_the_exact_neighbours_in_any_order() -> None:
    exact = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert recall(exact[:, ::-1], exact) == 1
    assert recall(np.array([[1, 2, 9, 9], [0, 5, 0, 0]]), exact) == pytest.approx(3 / 8)


def test_the_flat_index_finds_what_exact_search_finds() -> None:
    measured = measure(TINY, GrowingIndex, lambda _: None)
    told = [(row.vectors, row.index, row.recall) for row in measured.rows]
    assert told == [(size, index, 1.0) for size in (300, 700) for index in ("in use", "IndexFlatIP")]
    assert all(0 < row.p50_ms <= row.p95_ms and row.build_s > 0 for row in measured.rows)


def test_an_index_that_forgets_has_a_lower_recall() -> None:
    made: list[Forgetful] = []

    def make(dimension: int) -> Forgetful:
        made.append(Forgetful(dimension))
        return made[-1]

    measured = measure(TINY, make, lambda _: None)
    assert [sum(index.added) for index in made] == [300, 700]
    for row in measured.rows:
        assert row.recall == 1 if row.index == "IndexFlatIP" else 0.2 < row.recall < 0.8
