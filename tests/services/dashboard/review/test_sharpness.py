import numpy as np
import pytest

from services.dashboard.review.sharpness import SHARP, sharpness
from tests.services.dashboard.library.made import blurred_face, jpeg, sharp_face
from tests.services.dashboard.made import drawn_face


def test_a_blurred_face_is_less_sharp_than_the_limit_and_a_sharp_one_more() -> None:
    blurred, sharp = sharpness(blurred_face()), sharpness(sharp_face())
    assert blurred is not None
    assert sharp is not None
    assert blurred < SHARP < sharp


def test_the_size_of_a_picture_does_not_count() -> None:
    face = drawn_face(side=112)
    large = np.repeat(np.repeat(face, 3, axis=0), 3, axis=1)
    assert sharpness(jpeg(large)) == pytest.approx(sharpness(jpeg(face)), rel=0.1)


@pytest.mark.parametrize("picture", [b"", b"no jpeg", b"\xff\xd8\xff"])
def test_a_damaged_picture_has_no_sharpness(picture: bytes) -> None:
    assert sharpness(picture) is None
