import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dashboard import cards
from services.dashboard.view import Answer, Moment
from shared.emotions import COLOURS, EMOTIONS
from shared.messages import Explanation, Neighbour
from tests.services.dashboard.made import explanation_of


def moment(explanation: Explanation | None = None) -> Moment:
    shares = (0.05, 0.05, 0.1, 0.6, 0.1, 0.05, 0.05)
    return Moment(2, 0, 12, 0.48, shares, explanation or explanation_of(12, 0))


def test_bars_show_the_seven_in_order_with_their_colours() -> None:
    html = cards.bars([0.05, 0.05, 0.1, 0.6, 0.1, 0.05, 0.05])
    assert re.findall(r"<span>(\w+)</span>", html) == list(EMOTIONS)
    assert re.findall(r"width:([\d.]+)%;background:(#\w+)", html)[3] == ("60.0", COLOURS["happy"])
    assert "60 %" in html
    assert html.count("rm-top") == 1


def test_a_card_has_picture_bars_and_name() -> None:
    html = cards.face(moment(), None, "Mia")
    assert "data:image/jpeg;base64," in html
    assert "Mia" in html
    assert "0:00.5" in html


def test_a_damaged_picture_leaves_the_bars() -> None:
    broken = Explanation(embedding=b"", cam=b"", cam_side=14, aligned=b"no JPEG")
    html = cards.face(moment(broken), None, "Mia")
    assert "damaged picture" in html
    assert "Mia" in html
    assert "60 %" in html


def test_a_picture_that_was_not_kept_leaves_the_bars() -> None:
    kept = explanation_of(12, 0)
    without = Explanation(embedding=b"", cam=kept.cam, cam_side=kept.cam_side, aligned=b"")
    html = cards.face(moment(without), None, "Mia")
    assert "not kept" in html
    assert "<img" not in html
    assert "60 %" in html


@pytest.mark.parametrize("answer", [None, Answer(12, 0.48, (), None)])
def test_without_neighbours_it_says_when_they_come(answer: Answer | None) -> None:
    assert cards.NO_GALLERY in cards.neighbours(answer, moment())


def test_neighbours_show_label_similarity_and_source() -> None:
    near = Neighbour(label="happy", source="rain.mp4", frame=3, time_s=61.2, similarity=0.876)
    other = Neighbour(label="sad", source="portrait.jpg", frame=None, time_s=None, similarity=0.5)
    html = cards.neighbours(Answer(12, 0.48, (near, other), True), moment())
    assert "happy ✓" in html
    assert "sad ≠" in html
    assert "0.88" in html
    assert "rain.mp4 · 1:01.2" in html
    assert ">agree<" in html
    assert "neighbours at" not in html


def test_older_neighbours_say_of_when_they_are() -> None:
    near = Neighbour(label="sad", source="rain.mp4", frame=3, time_s=1.0, similarity=0.5)
    html = cards.neighbours(Answer(0, 0.0, (near,), False), moment())
    assert "neighbours at 0:00.0" in html
    assert ">disagree<" in html


@given(st.text(), st.text())
def test_nothing_from_outside_becomes_html(label: str, source: str) -> None:
    plain = Neighbour(label="x", source="x", frame=1, time_s=1.0, similarity=0.1)
    made = Neighbour(label=label, source=source, frame=1, time_s=1.0, similarity=0.1)
    tags = [
        re.findall(
            r"<[^>]*?(?: title=\"[^\"]*\")?>", cards.neighbours(Answer(0, 0.0, (one,), True), moment())
        )
        for one in (plain, made)
    ]
    assert len(tags[0]) == len(tags[1])


def test_the_face_stands_beside_itself_under_its_map() -> None:
    assert cards.face(moment(), None, "Mia", strength=0.5).count("<img") == 2
    assert cards.face(moment(), None, "Mia", strength=0).count("<img") == 1


def test_a_name_is_no_html() -> None:
    assert "<b>&lt;i&gt;Mia</b>" in cards.faces("clip", [(moment(), None)], {2: "<i>Mia"})


def test_a_face_leads_to_those_like_it() -> None:
    html = cards.faces('a"b', [(moment(), None)], {2: "Mia"})
    assert 'href="./search?like=a%22b&amp;track=2&amp;frame=12"' in html
