from pathlib import Path

import pytest
import torch

from shared.poster.model import DEPTHS, Poster
from tests.shared.poster.golden import fill_by_formula, formula_images


@pytest.fixture(scope="session")
def images() -> torch.Tensor:
    return formula_images()


@pytest.fixture(scope="session")
def small() -> Poster:
    return formula_poster("small")


def formula_poster(size: str) -> Poster:
    with torch.device("meta"):
        model = Poster(DEPTHS[size], num_classes=7)
    model.to_empty(device="cpu")
    fill_by_formula(model)
    return model.eval()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(__file__).resolve().parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return folder
