"""The worker whose model only waits."""

import time

import numpy as np
import pytest

from services.commands.bench_worker import WaitingEngine
from services.worker.engine import ExpressionEngine, FaceCrop


def test_it_waits_for_each_face_and_answers_all_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    engine: ExpressionEngine = WaitingEngine(0.02)
    crop = np.zeros((8, 8, 3), np.uint8)
    read = engine.predict([FaceCrop(crop, 0.25, explain) for explain in (True, False, True)])
    assert waited == [pytest.approx(0.06)]
    assert read.probabilities.sum(axis=1) == pytest.approx(1)
    assert np.linalg.norm(read.embeddings, axis=1) == pytest.approx(1)
    assert (len(read.aligned), len(read.cams), len(read.portraits)) == (3, 2, 2)
