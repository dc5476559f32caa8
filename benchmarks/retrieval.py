"""Nearest neighbours: the index in use beside exact search, over galleries of growing size."""

import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import faiss
import msgspec
import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.machine import Machine, describe_machine
from benchmarks.timing import Tell, percentile

_CHUNK: Final = 50_000
_PER_CLUSTER: Final = 100
_MB: Final = 1 << 20


class Index(Protocol):
    """What is measured: an index of cosine similarity."""

    def add(self, embeddings: NDArray[np.float32]) -> None:
        """Add embeddings, float32 [N, E]."""

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return similarities and rows, each [Q, k]."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: galleries of `sizes` vectors, `queries` batches of `batch` queries, on one thread.

    The vectors lie in clusters of about a hundred, as faces of the same people do: a centre of length 1 plus
    noise of length `spread`, normalised. Queries are drawn from the same clusters, and are no vectors of the
    gallery.
    """

    sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    dimension: int = 512
    batch: int = 32
    queries: int = 30
    k: int = 5
    spread: float = 0.7
    seed: int = 0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An index over a gallery. `memory_mb` is what the process grew by, `p50_ms` and `p95_ms` of a batch.

    `recall` is the part of the exact search's neighbours that were found; of exact search it is 1.
    """

    vectors: int
    index: str
    build_s: float
    memory_mb: float
    p50_ms: float
    p95_ms: float
    recall: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    rows: tuple[Row, ...]


class ExactIndex:
    """`IndexFlatIP` over normalised vectors, nothing around it."""

    def __init__(self, dimension: int) -> None:
        self._index = faiss.IndexFlatIP(dimension)

    def add(self, embeddings: NDArray[np.float32]) -> None:
        """Add embeddings of length 1, float32 [N, E]."""
        self._index.add(embeddings)

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return similarities and rows, each [Q, k]."""
        similarities, rows = self._index.search(queries, k)
        return similarities, rows


def measure(settings: Settings, make_index: Callable[[int], Index], tell: Tell) -> Measured:
    """Build both indexes over each gallery, and time batches of queries in turn.

    `make_index` makes the index in use, for vectors of a dimension.
    """
    machine = describe_machine()
    faiss.omp_set_num_threads(1)
    rows: list[Row] = []
    for size in settings.sizes:
        rows += _rows(settings, size, make_index)
        in_use = rows[-2]
        tell(f"{size:,} vectors: {in_use.p50_ms:.3g} ms, recall {in_use.recall:.3f}")
    return Measured(machine=machine, settings=settings, rows=tuple(rows))


def recall(found: NDArray[np.int64], exact: NDArray[np.int64]) -> float:
    """Return which part of the rows of `exact` [Q, k] stand in the same query's row of `found` [Q, k]."""
    hits = [len(set(mine) & set(theirs)) for mine, theirs in zip(found.tolist(), exact.tolist(), strict=True)]
    return float(np.sum(hits) / exact.size)


def _rows(settings: Settings, size: int, make_index: Callable[[int], Index]) -> list[Row]:
    indexes: dict[str, Index] = {}
    built: dict[str, tuple[float, float]] = {}
    for name, make in (("in use", make_index), ("IndexFlatIP", ExactIndex)):
        indexes[name] = make(settings.dimension)
        built[name] = _build(indexes[name], settings, size)
    batches = list(_draw_queries(settings, size))
    seconds: dict[str, list[float]] = {name: [] for name in indexes}
    found: dict[str, list[NDArray[np.int64]]] = {name: [] for name in indexes}
    for index in indexes.values():
        _search(index, batches[0], settings.k)
    for batch in batches:
        for name, index in indexes.items():
            began = time.perf_counter()
            rows = _search(index, batch, settings.k)
            seconds[name].append(time.perf_counter() - began)
            found[name].append(rows)
    exact = np.concatenate(found["IndexFlatIP"])
    return [
        Row(
            vectors=size,
            index=name,
            build_s=built[name][0],
            memory_mb=built[name][1],
            p50_ms=1000 * percentile(seconds[name], 50),
            p95_ms=1000 * percentile(seconds[name], 95),
            recall=recall(np.concatenate(found[name]), exact),
        )
        for name in indexes
    ]


def _build(index: Index, settings: Settings, size: int) -> tuple[float, float]:
    """Add a gallery to an index; return the seconds that took, and by how many MB the process grew."""
    before, spent = psutil.Process().memory_info().rss, 0.0
    for vectors in _draw_gallery(settings, size):
        began = time.perf_counter()
        index.add(vectors)
        spent += time.perf_counter() - began
    _search(index, np.eye(1, settings.dimension, dtype=np.float32), settings.k)
    return spent, (psutil.Process().memory_info().rss - before) / _MB


def _search(index: Index, queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    return np.asarray(index.search(queries, k)[1], np.int64)


def _draw_gallery(settings: Settings, size: int) -> Iterator[NDArray[np.float32]]:
    """Yield a gallery in parts, the same at each call."""
    rng = np.random.default_rng(settings.seed + 1)
    centres = _centres(settings, size)
    for start in range(0, size, _CHUNK):
        yield _around(centres, min(_CHUNK, size - start), settings.spread, rng)


def _draw_queries(settings: Settings, size: int) -> Iterator[NDArray[np.float32]]:
    rng = np.random.default_rng(settings.seed + 2)
    centres = _centres(settings, size)
    for _ in range(settings.queries):
        yield _around(centres, settings.batch, settings.spread, rng)


def _centres(settings: Settings, size: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(settings.seed)
    return normalised(rng.standard_normal((max(1, size // _PER_CLUSTER), settings.dimension), np.float32))


def _around(
    centres: NDArray[np.float32], count: int, spread: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    noise = normalised(rng.standard_normal((count, centres.shape[1]), np.float32))
    return normalised(centres[rng.integers(0, len(centres), count)] + np.float32(spread) * noise)


def normalised(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows [N, E] brought to length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
