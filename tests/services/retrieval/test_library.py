import logging
from pathlib import Path

import pytest

from services.retrieval.library import Library
from tests.services.retrieval.makers import MODEL, OTHER, build_gallery, finish_clip, unit


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def labels(library: Library, model: str = MODEL) -> list[str]:
    gallery = library.gallery_of(model)
    return [face.source for face in gallery.faces] if gallery else []


def test_the_folders_are_looked_at_once_a_second(tmp_path: Path) -> None:
    clock = Clock()
    library = Library(tmp_path / "gallery", tmp_path / "results", clock)
    assert labels(library) == []
    finish_clip(tmp_path / "results", "one", "id-1", [("happy", unit(1, 0))])
    clock.now += 0.9
    assert labels(library) == []
    clock.now += 0.1
    assert labels(library) == ["one.mp4"]


def test_a_built_gallery_goes_before_the_own_clips(tmp_path: Path) -> None:
    clock = Clock()
    library = Library(tmp_path / "gallery", tmp_path / "results", clock)
    finish_clip(tmp_path / "results", "one", "id-1", [("happy", unit(1, 0))])
    assert labels(library) == ["one.mp4"]
    build_gallery(tmp_path / "gallery" / MODEL, [[1.0, 0.0]], ["sad"])
    clock.now += 1
    assert labels(library) == ["train/sad/0.png"]


def test_each_model_has_its_own(tmp_path: Path) -> None:
    library = Library(tmp_path / "gallery", tmp_path / "results")
    build_gallery(tmp_path / "gallery" / MODEL, [[1.0, 0.0]], ["sad"])
    finish_clip(tmp_path / "results", "one", "id-1", [("happy", unit(1, 0))], model=OTHER)
    assert labels(library) == ["train/sad/0.png"]
    assert labels(library, OTHER) == ["one.mp4"]
    assert labels(library, "third@22222222") == []


def test_another_models_gallery_is_told_once_and_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    library = Library(tmp_path / "gallery", tmp_path / "results", clock)
    build_gallery(tmp_path / "gallery" / MODEL, [[1.0, 0.0]], ["sad"], model=OTHER)
    finish_clip(tmp_path / "results", "one", "id-1", [("happy", unit(1, 0))])
    with caplog.at_level(logging.WARNING):
        assert labels(library) == ["one.mp4"]
        clock.now += 2
        assert labels(library) == ["one.mp4"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"holds embeddings of {OTHER}" in line


def test_galleries_of_many_models_do_not_pile_up(tmp_path: Path) -> None:
    clock = Clock()
    library = Library(tmp_path / "gallery", tmp_path / "results", clock)
    finish_clip(tmp_path / "results", "one", "id-1", [("happy", unit(1, 0))])
    assert labels(library) == ["one.mp4"]
    for number in range(20):
        assert labels(library, f"model-{number}@00000000") == []
    finish_clip(tmp_path / "results", "two", "id-2", [("happy", unit(1, 0))])
    assert labels(library) == ["one.mp4", "two.mp4"]
    assert len(library._shelves) == 8
