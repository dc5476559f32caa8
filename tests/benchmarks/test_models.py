"""Models with new weights, and what is made for them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.gallery import write_gallery
from benchmarks.models import Choice, model_folder, new_model, open_model
from services.retrieval.built import read_gallery
from shared.poster import load
from shared.poster.folder import BUNDLED, model_id


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(Choice(size="nano", seed=3), None, tmp_path_factory.mktemp("models"))


def test_a_model_with_new_weights_is_the_same_in_its_folder(folder: Path) -> None:
    images = torch.rand(2, 3, 128, 128)
    with torch.no_grad():
        mine = new_model("nano", seed=3)(images)
        stored = load(folder)(images)
        other = new_model("nano", seed=4)(images)
    torch.testing.assert_close(mine.logits, stored.logits)
    assert not torch.allclose(mine.logits, other.logits)
    assert mine.embedding.isfinite().all()


def test_a_model_is_taken_by_name_where_no_size_is_given(tmp_path: Path) -> None:
    assert model_folder(Choice(name="nano"), None, tmp_path) == BUNDLED / "nano"
    assert list(tmp_path.iterdir()) == []
    assert open_model(Choice(name="nano"), None).id == model_id(BUNDLED / "nano")


def test_retrieval_can_read_the_gallery(folder: Path, tmp_path: Path) -> None:
    write_gallery(tmp_path, folder, faces=20, seed=0)
    gallery = read_gallery(tmp_path / model_id(folder), model_id(folder))
    assert len(gallery.faces) == 20
    similarities, rows = gallery.index.search(np.eye(1, 256, dtype=np.float32), 3)
    assert set(rows[0]) <= set(range(20))
    assert np.abs(similarities).max() <= 1
