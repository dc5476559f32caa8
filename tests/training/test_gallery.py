"""A gallery is built as retrieval reads it."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from services.retrieval.built import read_gallery
from services.retrieval.gallery import nearest
from shared.emotions import EMOTIONS
from shared.errors import DataError, ModelError
from shared.faces.alignment import TEMPLATE, Landmarks
from shared.faces.preprocessing import preprocess
from shared.gallery import Head, gallery_folder, list_galleries
from tests.training.tiny import TinyModel, tiny_config
from training.gallery import build_gallery

CPU = torch.device("cpu")
MODEL = "tiny@00000001"


@pytest.fixture
def model() -> TinyModel:
    torch.manual_seed(1)
    model = TinyModel()
    model.config, model.id = tiny_config(), MODEL
    return model.eval()


def _write_pictures(root: Path, labels: tuple[str, ...], each: int) -> Path:
    chance = np.random.default_rng(5)
    for label in labels:
        (root / "train" / label).mkdir(parents=True)
        for number in range(each):
            picture = chance.integers(0, 256, (48, 48), np.uint8)
            cv2.imwrite(str(root / "train" / label / f"{number}.png"), picture)
    return root


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return _write_pictures(tmp_path / "data", EMOTIONS, 5)


def test_retrieval_finds_each_face_of_the_split_by_its_own_embedding(
    tmp_path: Path, model: TinyModel, data: Path
) -> None:
    folder = build_gallery(model, "fer2013", data, tmp_path / "gallery", CPU)
    assert gallery_folder(tmp_path / "gallery", MODEL) == folder
    gallery = read_gallery(folder, MODEL)
    expected = [(label, f"train/{label}/{number}.png") for label in EMOTIONS for number in range(5)]
    assert [(face.label, face.source) for face in gallery.faces] == expected
    for label, name in expected[::7]:
        picture = np.asarray(cv2.imread(str(data / name), cv2.IMREAD_COLOR_RGB), np.uint8)
        shown = torch.from_numpy(preprocess(picture[None], tiny_config().preprocessing, 16))
        with torch.no_grad():
            embedding = model(shown).embedding[0].numpy()
        (found,) = nearest(gallery, embedding, 1, "clip")
        assert found.similarity == pytest.approx(1, abs=1e-3)
        assert (found.label, found.source) == (label, name)


def test_a_gallery_that_is_there_is_kept_unless_it_is_to_be_replaced(
    tmp_path: Path, model: TinyModel, data: Path
) -> None:
    folder = build_gallery(model, "fer2013", data, tmp_path / "gallery", CPU)
    (data / "train" / "sad" / "0.png").unlink()
    with pytest.raises(DataError, match="--replace"):
        build_gallery(model, "fer2013", data, tmp_path / "gallery", CPU)
    assert len(read_gallery(folder, MODEL).faces) == 35
    build_gallery(model, "fer2013", data, tmp_path / "gallery", CPU, replace=True)
    assert len(read_gallery(folder, MODEL).faces) == 34
    assert [path.name for path in (tmp_path / "gallery").iterdir()] == [MODEL]


def test_contempt_is_left_out(tmp_path: Path, model: TinyModel) -> None:
    data = _write_pictures(tmp_path / "data", (*EMOTIONS, "contempt"), 2)
    gallery = read_gallery(build_gallery(model, "folder", data, tmp_path, CPU), MODEL)
    assert sorted({face.label for face in gallery.faces}) == sorted(EMOTIONS)
    assert len(gallery.faces) == 14


class Fixed:
    """Finds the points of the template, drawn small into the upper left of every picture."""

    def __init__(self, _device: torch.device) -> None:
        pass

    def find(self, crops: Sequence[NDArray[np.uint8]]) -> Landmarks:
        scale = np.array([len(crop) for crop in crops], np.float32)[:, None, None] / 1.5 / 224
        return Landmarks((TEMPLATE * scale).astype(np.float32), np.ones(len(crops), np.bool_))


def test_faces_are_aligned_first_if_wanted(
    tmp_path: Path, model: TinyModel, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.gallery.MtcnnAligner", Fixed)
    cache = tmp_path / "cache"
    aligned = build_gallery(model, "fer2013", data, tmp_path / "a", CPU, align=True, cache=cache)
    plain = build_gallery(model, "fer2013", data, tmp_path / "b", CPU)
    assert len(list(cache.glob("poses-*.npy"))) == 1
    assert [face.source for face in read_gallery(aligned, MODEL).faces] == [
        face.source for face in read_gallery(plain, MODEL).faces
    ]
    embeddings = [np.load(folder / "embeddings.npy") for folder in (aligned, plain)]
    assert not np.allclose(embeddings[0], embeddings[1], atol=1e-2)


def test_what_goes_wrong_leaves_nothing(
    tmp_path: Path, model: TinyModel, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.gallery.pq.write_table", full)
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        build_gallery(model, "fer2013", data, tmp_path / "gallery", CPU)
    assert list((tmp_path / "gallery").iterdir()) == []


def test_a_model_without_an_id_has_no_gallery(tmp_path: Path, data: Path) -> None:
    with pytest.raises(ModelError, match=r"without config\.json"):
        build_gallery(TinyModel(), "fer2013", data, tmp_path, CPU)


def test_galleries_are_listed_by_their_own_models_only(tmp_path: Path) -> None:
    head = Head(model=MODEL, dimension=8, faces=3)
    for name in (MODEL, "other@00000002", "damaged", ".aside"):
        (tmp_path / name).mkdir()
        content = b"{" if name == "damaged" else msgspec.json.encode(head)
        (tmp_path / name / "gallery.json").write_bytes(content)
    assert list_galleries(tmp_path) == [head]
    assert list_galleries(tmp_path / "absent") == []
    assert json.loads((tmp_path / MODEL / "gallery.json").read_bytes())["format_version"] == 1
