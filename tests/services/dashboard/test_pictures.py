import base64

import cv2
import numpy as np
import pytest

from services.dashboard.pictures import blend, data_uri, explained
from shared.errors import MessageError
from shared.messages import Explanation
from tests.services.dashboard.made import drawn_face, explanation_of


def decode_uri(uri: str) -> np.ndarray:
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(body), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def test_the_face_stays_where_the_model_did_not_look() -> None:
    face = drawn_face()
    assert np.array_equal(blend(face, np.zeros((14, 14), np.uint8)), face)


def test_the_map_lies_where_it_is_high() -> None:
    face = drawn_face(side=112)
    cam = np.zeros((14, 14), np.uint8)
    cam[2:5, 9:12] = 255
    changed = np.abs(blend(face, cam).astype(int) - face).sum(axis=2)
    rows, columns = np.nonzero(changed > 60)
    assert rows.min() >= 8
    assert rows.max() < 56
    assert columns.min() >= 64
    assert columns.max() < 104


def test_the_highest_activation_is_red() -> None:
    grey = np.full((56, 56, 3), 128, np.uint8)
    red, green, blue = blend(grey, np.full((14, 14), 255, np.uint8), strength=1.0)[28, 28]
    assert red > 100
    assert red > 3 * max(int(green), int(blue))


def test_colours_survive_the_way_to_the_page() -> None:
    orange = np.zeros((32, 32, 3), np.uint8)
    orange[:] = (230, 120, 20)
    assert np.abs(decode_uri(data_uri(orange)).astype(int) - orange).max() < 12


def test_an_explained_face_is_shown_with_and_without_its_map() -> None:
    explanation = explanation_of(frame=0, track=0)
    bare = decode_uri(explained(explanation, strength=0))
    overlaid = decode_uri(explained(explanation, strength=0.6))
    assert bare.shape == overlaid.shape == (112, 112, 3)
    assert np.abs(bare.astype(int) - drawn_face()).mean() < 6
    assert np.abs(bare.astype(int) - overlaid).max() > 60


@pytest.mark.parametrize(("aligned", "cam"), [(b"not a picture", bytes(196)), (None, bytes(195))])
def test_a_damaged_picture_is_refused_in_one_line(aligned: bytes | None, cam: bytes) -> None:
    good = explanation_of(0, 0)
    bad = Explanation(
        embedding=b"", cam=cam, cam_side=14, aligned=good.aligned if aligned is None else aligned
    )
    with pytest.raises(MessageError, match="damaged"):
        explained(bad)
