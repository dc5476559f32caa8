import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retrieval.answer import agreement, answer
from services.retrieval.gallery import Gallery, GalleryFace, empty_gallery, extend
from shared.emotions import EMOTIONS
from shared.errors import MessageError
from shared.messages import Neighbour
from tests.services.retrieval.makers import MODEL, OTHER, query, unit


@pytest.fixture
def gallery() -> Gallery:
    made = empty_gallery(MODEL, 3)
    faces = [GalleryFace("happy", "a.mp4", 1, 0.04), GalleryFace("happy", "a.mp4", 2, 0.08)]
    extend(made, np.array([[1, 0, 0], [1, 0.1, 0]], np.float32), faces, "a")
    extend(made, np.array([[0, 1, 0]], np.float32), [GalleryFace("sad", "b.mp4", 7, 0.28)], "b")
    return made


def test_the_nearest_first_with_where_they_come_from(gallery: Gallery) -> None:
    asked = query(unit(1, 0.01, 0))
    found = answer(asked, gallery, 2)
    assert found.place == asked.place
    assert [(one.source, one.frame, one.time_s) for one in found.nearest] == [
        ("a.mp4", 1, 0.04),
        ("a.mp4", 2, 0.08),
    ]
    assert found.nearest[0].similarity == pytest.approx(1, abs=1e-3)
    assert found.agrees is True


def test_the_asking_clip_is_left_out(gallery: Gallery) -> None:
    found = answer(query(unit(1, 0, 0), clip="a"), gallery, 5)
    assert [one.source for one in found.nearest] == ["b.mp4"]
    assert found.agrees is False


def test_without_a_gallery_there_are_no_neighbours() -> None:
    found = answer(query(unit(1, 0, 0)), None, 5)
    assert (found.nearest, found.agrees) == ([], None)


def test_an_index_never_answers_another_models_embeddings(gallery: Gallery) -> None:
    with pytest.raises(MessageError, match=f"query of {OTHER} in the gallery of {MODEL}"):
        answer(query(unit(1, 0, 0), model=OTHER), gallery, 5)


@pytest.mark.parametrize(
    "embedding", [b"", b"abc", unit(1, 0), unit(1, 0, 0, 0), np.full(3, np.nan, "<f2").tobytes()]
)
def test_an_embedding_that_does_not_fit_is_refused(gallery: Gallery, embedding: bytes) -> None:
    with pytest.raises(MessageError, match="embedding"):
        answer(query(embedding), gallery, 5)


@given(st.sampled_from(EMOTIONS), st.lists(st.sampled_from(EMOTIONS), max_size=9))
def test_agreement_is_a_majority(emotion: str, labels: list[str]) -> None:
    found = [Neighbour(label=label, source="", frame=None, time_s=None, similarity=0) for label in labels]
    if not labels:
        assert agreement(emotion, found) is None
    else:
        assert agreement(emotion, found) is (labels.count(emotion) > len(labels) - labels.count(emotion))
