from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dashboard.library.faces import UNKNOWN, Faces
from services.dashboard.library.shelf import Library, refresh
from services.dashboard.search.hits import Filters, Hit, Query, nearest, query_of
from shared.emotions import EMOTIONS
from tests.services.dashboard.library.made import MODEL, Seen, finish_clip

ASKED = Query(MODEL, np.array([1, 0, 0], np.float32))


@pytest.fixture
def library(tmp_path: Path) -> Library:
    finish_clip(
        tmp_path,
        "one",
        [
            Seen("happy", 0.9, direction=(1, 0, 0), track=0),
            Seen("happy", 0.8, direction=(9, 1, 0), track=0),
            Seen("sad", 0.6, direction=(1, 1, 0), track=1),
        ],
    )
    finish_clip(tmp_path, "two", [Seen("fear", 0.5, direction=(0, 1, 0)), Seen(direction=(3, 1, 0), track=4)])
    finish_clip(tmp_path, "other", [Seen(direction=(1, 0, 0))], model="large@1")
    return refresh(Library(), tmp_path)


def places(hits: list[Hit]) -> list[tuple[str, int]]:
    return [(hit.faces.clip, hit.place) for hit in hits]


def test_the_best_of_each_track_comes_the_most_similar_first(library: Library) -> None:
    hits = nearest(library, ASKED, Filters(), 9)
    assert places(hits) == [("one", 0), ("two", 1), ("one", 2), ("two", 0)]
    assert [round(hit.similarity, 2) for hit in hits] == [1.0, 0.95, 0.71, 0.0]
    assert places(nearest(library, ASKED, Filters(), 2)) == [("one", 0), ("two", 1)]


def test_every_moment_of_a_track_comes_when_asked_for(library: Library) -> None:
    assert places(nearest(library, ASKED, Filters(every=True), 3)) == [("one", 0), ("one", 1), ("two", 1)]


def test_the_face_itself_is_left_out_and_else_its_whole_track(library: Library) -> None:
    one = next(faces for faces in library if faces.clip == "one")
    asked = query_of(one, 0)
    assert places(nearest(library, asked, Filters(), 9)) == [("two", 1), ("one", 2), ("two", 0)]
    assert places(nearest(library, asked, Filters(every=True), 1)) == [("one", 1)]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(emotions=frozenset({"sad", "fear"})), [("one", 2), ("two", 0)]),
        (Filters(confidence=0.85), [("one", 0), ("two", 1)]),
        (Filters(similarity=0.7), [("one", 0), ("two", 1), ("one", 2)]),
        (Filters(clips=frozenset({"two"})), [("two", 1), ("two", 0)]),
        (Filters(emotions=frozenset({"happy"}), confidence=0.95), []),
        (Filters(clips=frozenset({"gone"})), []),
    ],
)
def test_filters_leave_out(library: Library, filters: Filters, found: list[tuple[str, int]]) -> None:
    assert places(nearest(library, ASKED, filters, 9)) == found


def test_faces_of_another_model_are_never_compared(library: Library) -> None:
    other = Query("large@1", ASKED.embedding)
    assert places(nearest(library, other, Filters(), 9)) == [("other", 0)]
    assert nearest(library, Query(MODEL, np.ones(2, np.float32)), Filters(), 9) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.floats(0, 1, width=32), st.integers(0, 3)), min_size=1, max_size=30
    ),
    st.sets(st.sampled_from(EMOTIONS), min_size=1),
    st.floats(0, 1),
    st.booleans(),
    st.integers(1, 9),
)
def test_it_finds_what_looking_at_each_face_finds(
    rows: list[tuple[int, float, int]], emotions: set[str], confidence: float, every: bool, count: int
) -> None:
    faces = faces_of(rows)
    query = Query(MODEL, faces.embeddings[0])
    filters = Filters(frozenset(emotions), confidence, every=every)
    left = [
        place
        for place in range(len(faces))
        if EMOTIONS[faces.emotion[place]] in emotions and faces.confidence[place] >= confidence
    ]
    left.sort(key=lambda place: -float(faces.embeddings[place] @ query.embedding))
    best: dict[int, int] = {}
    for place in left:
        best.setdefault(int(faces.track[place]), place)
    wanted = left if every else list(best.values())
    found = nearest([faces], query, filters, count)
    similarities = [float(faces.embeddings[place] @ query.embedding) for place in wanted[:count]]
    np.testing.assert_allclose([hit.similarity for hit in found], similarities, atol=1e-6)


def faces_of(rows: list[tuple[int, float, int]]) -> Faces:
    count = len(rows)
    vectors = np.random.default_rng(0).standard_normal((count, 8)).astype(np.float32)
    probabilities = np.zeros((count, 7), np.float32)
    for place, (emotion, confidence, _) in enumerate(rows):
        probabilities[place, emotion] = confidence
    numbers = np.arange(count)
    return Faces(
        clip="clip",
        name="clip.mp4",
        content="",
        folder=Path("nowhere"),
        model=MODEL,
        row=numbers,
        frame=numbers,
        face=np.zeros(count, np.int64),
        track=np.array([track for _, _, track in rows], np.int64),
        time_s=numbers / 25,
        agrees=np.full(count, UNKNOWN, np.int8),
        probabilities=probabilities,
        embeddings=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
    )
