from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dashboard.library.faces import UNKNOWN, read_faces
from shared.emotions import EMOTIONS
from shared.moments import MOMENTS
from tests.services.dashboard.library.made import MODEL, Seen, finish_clip

CONTENT = "12-00000000000000000000000000000000"


def test_what_is_known_of_each_face_comes_from_both_files(tmp_path: Path) -> None:
    seen = [Seen("sad", 0.5, 0.3, (0, 2, 0), track=4, agrees=False), Seen("fear", 0.8, agrees=True), Seen()]
    folder = finish_clip(tmp_path, "one", seen, content=CONTENT)
    [faces] = read_faces(folder / MOMENTS, most=9)
    assert (faces.clip, faces.name, faces.content, faces.model) == ("one", "one.mp4", CONTENT, MODEL)
    assert [EMOTIONS[index] for index in faces.emotion] == ["sad", "fear", "happy"]
    np.testing.assert_allclose(faces.confidence, [0.5, 0.8, 0.9], rtol=1e-6)
    np.testing.assert_allclose(faces.margin, [0.2, 0.75, 0.85], rtol=1e-6)
    assert faces.agrees.tolist() == [0, 1, UNKNOWN]
    assert faces.track.tolist() == [4, 0, 0]
    np.testing.assert_allclose(faces.time_s, [0, 0.04, 0.08])
    np.testing.assert_array_equal(faces.embeddings[0], [0, 1, 0])


def test_faces_without_neighbours_are_read_too(tmp_path: Path) -> None:
    [faces] = read_faces(finish_clip(tmp_path, "one", [Seen()]) / MOMENTS, most=9)
    assert faces.agrees.tolist() == [UNKNOWN]


def test_a_clip_without_a_face_has_none(tmp_path: Path) -> None:
    assert list(read_faces(finish_clip(tmp_path, "one", []) / MOMENTS, most=9)) == []


def test_a_table_of_absurd_length_is_refused(tmp_path: Path) -> None:
    path = finish_clip(tmp_path, "one", [Seen()] * 3) / MOMENTS
    with pytest.raises(ValueError, match="more than 2 rows"):
        list(read_faces(path, most=2))


@settings(max_examples=15)
@given(st.sampled_from(EMOTIONS), st.floats(0.5, 0.9), st.floats(0, 0.09))
def test_the_margin_lies_between_the_two_best(
    tmp_path_factory: pytest.TempPathFactory, emotion: str, confidence: float, second: float
) -> None:
    folder = finish_clip(tmp_path_factory.mktemp("results"), "one", [Seen(emotion, confidence, second)])
    [faces] = read_faces(folder / MOMENTS, most=9)
    best = sorted(faces.probabilities[0])[-2:]
    assert faces.margin[0] == pytest.approx(best[1] - best[0], abs=1e-6)
