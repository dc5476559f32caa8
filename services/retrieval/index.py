"""Nearest-neighbour search over embeddings."""

from typing import Final, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

NOTHING: Final = -1
"""Row of a neighbour that was not found."""

_EXACT_MOST: Final = 20_000
"""Rows up to which exact search is fast enough."""
_GROWTH: Final = 4
"""How much larger than the rows that its lists were made for an index may grow."""
_LISTS: Final = 4
"""Number of lists, in square roots of the number of rows (Faiss wiki, "Guidelines to choose an index")."""
_PROBES: Final = 16
"""Lists that are looked through for a query."""
_SAMPLE: Final = 39
"""Rows for each list to find the lists with: the fewest that Faiss takes without a warning."""
_CHUNK: Final = 65_536


class EmbeddingIndex(Protocol):
    """What retrieval needs of an index: rows are numbered in the order they were added."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def add(self, embeddings: NDArray[np.float32]) -> None:
        """Add embeddings, float32 [N, E], of any length but zero."""

    def search(
        self, queries: NDArray[np.float32], k: int, without: range = range(0)
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return cosine similarities and rows, each [Q, k], the most similar first.

        Rows in `without` are not answered; where fewer than `k` are left, the rows end with `NOTHING`.
        """


class GrowingIndex:
    """Cosine similarity of any number of rows: exact while they are few, then over inverted lists.

    From 20,000 rows on, the rows of the nearest lists alone are compared, in 8 bits a value: a small part of
    the time and a quarter of the memory, for one to three neighbours in a hundred (docs/performance.md).
    """

    def __init__(self, dimension: int) -> None:
        faiss.omp_set_num_threads(1)
        self.dimension = dimension
        self._index: faiss.Index = faiss.IndexFlatIP(dimension)
        self._made_for = _EXACT_MOST // _GROWTH

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, embeddings: NDArray[np.float32]) -> None:
        """Add embeddings, float32 [N, E]. Raises ValueError when E is not this index's dimension."""
        rows = self._normalised(embeddings)
        total = len(self) + len(rows)
        if total > _GROWTH * self._made_for:
            self._index, self._made_for = _with_lists(self._index, rows), total
        self._index.add(rows)

    def search(
        self, queries: NDArray[np.float32], k: int, without: range = range(0)
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Search as `EmbeddingIndex` says. Raises ValueError when E is not this index's dimension."""
        parameters = faiss.SearchParameters()
        if isinstance(self._index, faiss.IndexIVF):
            parameters = faiss.SearchParametersIVF()
            parameters.nprobe = _PROBES
        left_out = faiss.IDSelectorRange(without.start, without.stop)
        outside = faiss.IDSelectorNot(left_out)
        if without:
            # Faiss asks it about every row, and compares exactly without its matrix products then.
            parameters.sel = outside
        similarities, rows = self._index.search(self._normalised(queries), k, params=parameters)
        return similarities, rows

    def _normalised(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        if embeddings.ndim != 2 or embeddings.shape[1] != self.dimension:
            raise ValueError(
                f"embeddings of shape {embeddings.shape} in an index of dimension {self.dimension}"
            )
        lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
        return np.ascontiguousarray(embeddings / np.maximum(lengths, 1e-12), dtype=np.float32)


def _with_lists(index: faiss.Index, coming: NDArray[np.float32]) -> faiss.IndexIVF:
    """Return an index of the rows of `index`, with lists for them and those that are coming.

    The lists are the clusters of a sample of both, spread evenly over them, so that the same rows always give
    the same index.
    """
    held, total = index.ntotal, index.ntotal + len(coming)
    lists = min(int(_LISTS * total**0.5), total // _SAMPLE)
    chosen = np.linspace(0, total - 1, _SAMPLE * lists).astype(np.int64)
    sample = np.concatenate([_rows(index, chosen[chosen < held]), coming[chosen[chosen >= held] - held]])
    made = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(index.d),
        index.d,
        lists,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
        False,
    )
    made.train(sample)
    for start in range(0, held, _CHUNK):
        made.add(_rows(index, np.arange(start, min(start + _CHUNK, held))))
    return made


def _rows(index: faiss.Index, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    if isinstance(index, faiss.IndexIVF):
        index.make_direct_map()
    return np.asarray(index.reconstruct_batch(numbers), np.float32)
