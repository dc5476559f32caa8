from hypothesis import given
from hypothesis import strategies as st

from services.recorder.layout import Panel, place_panels
from shared.messages import Box

FRAME, FULL, COMPACT, GAP = (640, 360), (124, 114), (43, 66), 5


def placed(boxes: dict[int, Box], before: dict[int, Panel] | None = None) -> dict[int, Panel]:
    return place_panels(boxes, before or {}, FRAME, FULL, COMPACT, GAP)


def covers(panel: Panel, box: Box) -> bool:
    return (
        panel.x < box.x + box.w
        and box.x < panel.x + panel.w
        and panel.y < box.y + box.h
        and box.y < panel.y + panel.h
    )


def test_right_of_the_face_where_there_is_room() -> None:
    panel = placed({0: Box(100, 100, 90, 90)})[0]
    assert (panel.side, panel.compact, panel.x, panel.y) == ("right", False, 195, 100)


def test_left_at_the_right_edge() -> None:
    assert placed({0: Box(520, 100, 100, 100)})[0].side == "left"


def test_on_a_face_that_fills_the_frame_it_keeps_to_the_edge() -> None:
    panel = placed({0: Box(0, 0, 640, 360)})[0]
    assert panel.x + panel.w == FRAME[0]


def test_no_panel_on_the_face_beside_it() -> None:
    boxes = {0: Box(200, 100, 90, 90), 1: Box(310, 100, 90, 90)}
    panels = placed(boxes)
    assert not any(covers(panel, box) for panel in panels.values() for box in boxes.values())


def test_it_stands_still_while_the_face_trembles() -> None:
    before = placed({0: Box(100, 100, 90, 90)})
    assert placed({0: Box(102, 99, 90, 90)}, before) == before


def test_it_follows_a_face_that_moves() -> None:
    before = placed({0: Box(100, 100, 90, 90)})
    assert placed({0: Box(140, 100, 90, 90)}, before)[0].x == 235


def test_it_keeps_its_side_when_two_are_nearly_as_good() -> None:
    before = {0: Panel("left", False, 71, 100, *FULL)}
    assert placed({0: Box(300, 100, 90, 90)}, before)[0].side == "left"


boxes = st.builds(
    Box, x=st.integers(-20, 640), y=st.integers(-20, 360), w=st.integers(1, 640), h=st.integers(1, 360)
)


@given(
    st.dictionaries(st.integers(0, 20), boxes, max_size=8),
    st.tuples(st.integers(1, 900), st.integers(1, 900)),
)
def test_always_inside_the_frame(many: dict[int, Box], frame: tuple[int, int]) -> None:
    panels = place_panels(many, {}, frame, FULL, COMPACT, GAP)
    assert panels.keys() == many.keys()
    for panel in panels.values():
        assert panel.x >= 0
        assert panel.y >= 0
        assert panel.x + panel.w <= frame[0]
        assert panel.y + panel.h <= frame[1]
