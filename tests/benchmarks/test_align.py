"""Aligners side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.align import Settings, compare, distances, measure
from shared.faces.alignment import Landmarks
from shared.settings import Settings as ProductSettings

FACE = np.array([(10, 10), (30, 10), (20, 20), (12, 30), (28, 30)], np.float32)


def moved(x: float, y: float) -> NDArray[np.float32]:
    return FACE + np.array([x, y], np.float32)


class Shifted:
    """Finds the same five points in every crop, moved to the right; nothing in crops darker than `blind`."""

    def __init__(self, by: float, blind: int = -1) -> None:
        self._by, self._blind = by, blind
        self.batches: list[int] = []

    def find(self, crops: Sequence[NDArray[np.uint8]]) -> Landmarks:
        self.batches.append(len(crops))
        found = np.array([int(crop.max()) > self._blind for crop in crops])
        return Landmarks(np.stack([moved(self._by, 0)] * len(crops)), found)


def test_distances_are_in_distances_between_the_eyes() -> None:
    one = Landmarks(np.stack([moved(4, 0), moved(0, 3), FACE]), np.array([True, True, False]))
    other = Landmarks(np.stack([FACE] * 3), np.array([True, True, True]))
    np.testing.assert_allclose(distances(one, other), [0.2, 0.15])


def test_each_aligner_gets_the_same_batches_and_is_measured_against_the_last() -> None:
    crops = [np.full((40, 40, 3), shade, np.uint8) for shade in (10, 20, 30, 40, 50)]
    one, other = Shifted(2, blind=10), Shifted(0)
    first, last = compare({"one": one, "other": other}, crops, batch=2, repeats=1)
    assert one.batches[:3] == other.batches[:3] == [2, 2, 1]
    assert [first.found, first.off_p50, first.off_p95] == pytest.approx([0.8, 0.1, 0.1])
    assert (last.found, last.off_p50) == (1.0, 0.0)
    blind, _ = compare({"blind": Shifted(0, blind=255), "other": other}, crops, batch=5, repeats=1)
    assert (blind.found, blind.off_p50) == (0.0, None)


def test_the_workers_aligner_and_full_mtcnn_agree_on_a_drawn_face(two_faces: Path) -> None:
    measured = measure(Settings(clip=str(two_faces), faces=2, repeats=1), ProductSettings(), lambda _: None)
    mine, _, full = measured.rows
    assert measured.faces == 2
    assert (mine.found, full.found, full.off_p95) == (1, 1, 0)
    assert mine.off_p50 is not None
    assert 0 < mine.off_p50 < 0.1
