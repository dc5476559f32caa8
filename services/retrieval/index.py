"""Nearest-neighbour search over embeddings."""

from typing import Final, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

NOTHING: Final = -1
"""Row of a neighbour that was not found."""


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


class FlatIndex:
    """Exact cosine similarity: `IndexFlatIP` on L2-normalised float32.

    Source: Faiss wiki, "MetricType and distances".
    """

    def __init__(self, dimension: int) -> None:
        faiss.omp_set_num_threads(1)
        self.dimension = dimension
        self._index = faiss.IndexFlatIP(dimension)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, embeddings: NDArray[np.float32]) -> None:
        """Add embeddings, float32 [N, E]. Raises ValueError when E is not this index's dimension."""
        self._index.add(self._normalised(embeddings))

    def search(
        self, queries: NDArray[np.float32], k: int, without: range = range(0)
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Search as `EmbeddingIndex` says. Raises ValueError when E is not this index's dimension."""
        outside = faiss.IDSelectorNot(faiss.IDSelectorRange(without.start, without.stop))
        parameters = faiss.SearchParameters()
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
