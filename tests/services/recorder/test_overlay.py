import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageColor

from services.recorder.overlay import draw_faces, style_for
from shared.emotions import COLOURS
from shared.messages import Box
from tests.services.recorder.makers import HAPPY, SAD, place, reading

GREY = np.full((360, 640, 3), 90, dtype=np.uint8)


def has_colour(image: np.ndarray, colour: str) -> bool:
    return bool((image == np.array(ImageColor.getrgb(colour), dtype=np.uint8)).all(axis=2).any())


def test_a_face_gets_a_box_in_the_colour_of_its_emotion_and_bars_of_all() -> None:
    box = Box(200, 120, 100, 100)
    image, panels = draw_faces(GREY, [reading(place(0, box=box))], {}, style_for(640, 360))
    around = image[box.y : box.y + box.h, box.x : box.x + 2]
    assert has_colour(around, COLOURS["happy"])
    panel = panels[0]
    bars = image[panel.y : panel.y + panel.h, panel.x : panel.x + panel.w]
    assert all(has_colour(bars, COLOURS[emotion]) for emotion in COLOURS)


def test_the_longest_bar_is_the_likeliest() -> None:
    image, panels = draw_faces(GREY, [reading(place(0))], {}, style_for(640, 360))
    panel = panels[0]
    bars = image[panel.y : panel.y + panel.h, panel.x : panel.x + panel.w]

    def length(emotion: str) -> int:
        ink = np.array(ImageColor.getrgb(COLOURS[emotion]), dtype=np.uint8)
        return int((bars == ink).all(axis=2).sum(axis=1).max())

    assert length("happy") > 2 * length("neutral") > 0


def test_the_frame_given_stays_as_it_is() -> None:
    before = GREY.copy()
    draw_faces(GREY, [reading(place(0))], {}, style_for(640, 360))
    assert (before == GREY).all()


def test_no_faces_leave_the_frame_alone() -> None:
    image, panels = draw_faces(GREY, [], {}, style_for(640, 360))
    assert (image == GREY).all()
    assert panels == {}


def test_a_face_that_was_given_up_has_a_box_and_no_bars() -> None:
    image, panels = draw_faces(GREY, [reading(place(0), None)], {}, style_for(640, 360))
    assert (image != GREY).any()
    assert panels == {}


def test_text_grows_with_the_frame() -> None:
    assert style_for(640, 360).font < style_for(1920, 1080).font < style_for(3840, 2160).font


@settings(max_examples=40)
@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.lists(
        st.tuples(st.integers(-50, 250), st.integers(-50, 250), st.integers(1, 300), st.integers(1, 300)),
        max_size=4,
    ),
)
def test_any_frame_and_any_boxes(width: int, height: int, corners: list[tuple[int, int, int, int]]) -> None:
    faces = [
        reading(place(0, index, track=index, box=Box(*box)), (HAPPY, SAD, None)[index % 3])
        for index, box in enumerate(corners)
    ]
    image, _ = draw_faces(np.zeros((height, width, 3), np.uint8), faces, {}, style_for(width, height))
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
