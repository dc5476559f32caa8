import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.retrieval.built import read_gallery
from services.retrieval.gallery import GalleryFace, nearest
from shared.errors import DataError
from shared.gallery import gallery_folder
from tests.services.retrieval.makers import MODEL, OTHER, build_gallery

FACES = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def change_head(folder: Path, **fields: object) -> None:
    head = json.loads((folder / "gallery.json").read_text())
    (folder / "gallery.json").write_text(json.dumps(head | fields))


def test_a_gallery_is_read_and_answers(tmp_path: Path) -> None:
    gallery = read_gallery(build_gallery(tmp_path / MODEL, FACES, ["happy", "sad"]), MODEL)
    assert gallery.faces == [GalleryFace("happy", "train/happy/0.png"), GalleryFace("sad", "train/sad/1.png")]
    found = nearest(gallery, np.array([0.1, 1, 0], np.float32), 2, "clip")
    assert [(one.label, one.frame) for one in found] == [("sad", None), ("happy", None)]
    assert found[0].similarity > 0.99


def test_another_models_gallery_is_refused(tmp_path: Path) -> None:
    folder = build_gallery(tmp_path / MODEL, FACES, ["happy", "sad"], model=OTHER)
    with pytest.raises(DataError, match=f"holds embeddings of {OTHER}, not of {MODEL}"):
        read_gallery(folder, MODEL)


@pytest.mark.parametrize(
    "fields", [{"faces": 3}, {"dimension": 4}, {"format_version": 2}, {"model": 5}, {"dimension": 0}]
)
def test_a_head_that_does_not_fit_is_refused(tmp_path: Path, fields: dict[str, object]) -> None:
    folder = build_gallery(tmp_path / MODEL, FACES, ["happy", "sad"])
    change_head(folder, **fields)
    with pytest.raises(DataError):
        read_gallery(folder, MODEL)


@pytest.mark.parametrize("file", ["gallery.json", "embeddings.npy", "faces.parquet"])
@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, file: str, content: bytes | None) -> None:
    folder = build_gallery(tmp_path / MODEL, FACES, ["happy", "sad"])
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_gallery(folder, MODEL)
    assert "\n" not in str(caught.value)


def test_pickled_embeddings_are_refused(tmp_path: Path) -> None:
    folder = build_gallery(tmp_path / MODEL, FACES, ["happy", "sad"])
    np.save(folder / "embeddings.npy", np.array([[{}], [{}]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError):
        read_gallery(folder, MODEL)


def test_embeddings_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    folder = build_gallery(tmp_path / MODEL, [[1.0, 0.0], [float("nan"), 0.0]], ["happy", "sad"])
    with pytest.raises(DataError, match="finite"):
        read_gallery(folder, MODEL)


def test_unknown_labels_are_refused(tmp_path: Path) -> None:
    folder = build_gallery(tmp_path / MODEL, FACES, ["happy", "sad"])
    pq.write_table(pa.table({"label": ["happy", "bored"], "path": ["a", "b"]}), folder / "faces.parquet")
    with pytest.raises(DataError, match="labels other than"):
        read_gallery(folder, MODEL)


@pytest.mark.parametrize("model", ["", ".", "..", "../other", "a/b", "/etc", "a\x00b", "x" * 300, "absent"])
def test_an_id_that_is_no_folder_of_ours_has_no_gallery(tmp_path: Path, model: str) -> None:
    build_gallery(tmp_path / "other", FACES, ["happy", "sad"])
    (tmp_path / "gallery.json").write_text("{}")
    assert gallery_folder(tmp_path / "galleries", model) is None
    assert gallery_folder(tmp_path, "other") == tmp_path / "other"
