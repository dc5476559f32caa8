import cv2
import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.recorder.blur import CELLS, HOLD, MARGIN, blur_faces, boxes_to_blur
from shared.faces.detection import HaarDetector
from shared.messages import Box
from tests.clips import draw
from tests.services.recorder.makers import place, reading

FACE = Box(40, 30, 60, 60)


def pattern(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (120, 160, 3), dtype=np.uint8)


def test_nothing_but_the_mean_colours_of_the_cells_is_left() -> None:
    """Two faces of the same means look the same afterwards: no other detail of them gets through."""
    box = Box(42, 30, 60, 60)
    margin = round(MARGIN * 60)
    side = 60 + 2 * margin
    left, top = box.x - margin, box.y - margin
    one = pattern(1)
    cells = np.array_split(np.arange(side), CELLS)
    assert {len(cell) for cell in cells} == {side // CELLS}
    other = one.copy()
    for rows in cells:
        for columns in cells:
            area = np.ix_(rows + top, columns + left)
            other[area] = one[area][::-1, ::-1]
    assert (one != other).mean() > 0.3
    assert (blur_faces(one, [box]) == blur_faces(other, [box])).all()


def test_no_face_is_found_any_more() -> None:
    image = draw((80, 90, 90), (230, 90, 84), width=320, height=180)
    detector = HaarDetector(0.125)
    boxes = detector.detect(image)
    assert len(boxes) == 2
    blurred = blur_faces(image, boxes)
    assert detector.detect(blurred) == []
    for box in boxes:
        inside = blurred[box.y : box.y + box.h, box.x : box.x + box.w]
        assert cv2.Laplacian(inside, cv2.CV_64F).var() < 2


def test_the_rest_of_the_frame_and_the_frame_itself_stay() -> None:
    image = pattern(2)
    before = image.copy()
    blurred = blur_faces(image, [FACE])
    assert (image == before).all()
    outside = np.ones(image.shape[:2], bool)
    margin = round(MARGIN * 60)
    outside[FACE.y - margin : FACE.y + 60 + margin, FACE.x - margin : FACE.x + 60 + margin] = False
    assert (blurred[outside] == image[outside]).all()
    assert (blurred[~outside] != image[~outside]).mean() > 0.9


@hypothesis_settings(max_examples=60)
@given(st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 400), st.integers(1, 400))
def test_a_box_anywhere_is_no_error(x: int, y: int, w: int, h: int) -> None:
    image = pattern(3)
    assert blur_faces(image, [Box(x, y, w, h)]).shape == image.shape


def test_frames_in_which_the_face_is_missed_are_blurred_too() -> None:
    seen = {20: Box(10, 10, 40, 40), 24: Box(50, 10, 60, 60)}
    boxes = boxes_to_blur([reading(place(frame, box=box)) for frame, box in seen.items()])
    assert set(boxes) == set(range(20 - HOLD, 24 + HOLD + 1))
    (middle,) = boxes[22]
    assert (middle.x + middle.w / 2, middle.w) == (55, 60)
    assert boxes[20 - HOLD] == [seen[20]]
    assert boxes[24 + HOLD] == [seen[24]]


def test_a_face_that_could_not_be_read_is_blurred_too() -> None:
    assert boxes_to_blur([reading(place(3, box=FACE), None)])[3] == [FACE]


def test_a_face_is_not_held_into_the_next_shot() -> None:
    first = reading(place(10, track=0, shot=0, box=FACE))
    second = reading(place(12, track=1, shot=1, box=Box(90, 5, 30, 30)))
    boxes = boxes_to_blur([first, second])
    assert boxes[12] == [Box(90, 5, 30, 30)]
    assert boxes[10] == [FACE]


def test_one_number_in_two_shots_is_two_tracks() -> None:
    boxes = boxes_to_blur([reading(place(0, track=0, shot=0)), reading(place(60, track=0, shot=1))])
    assert set(boxes) == {*range(-HOLD, HOLD + 1), *range(60 - HOLD, 60 + HOLD + 1)}
