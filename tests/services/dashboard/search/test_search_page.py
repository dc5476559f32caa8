"""The Search page as a browser session opens it."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import State
from shared.settings import Settings
from tests.services.dashboard.library.made import Seen, finish_clip
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip
from tests.services.dashboard.pages import OpenPage, text_of

CONTENT = "12-00000000000000000000000000000000"


@pytest.fixture
def page(open_page: OpenPage) -> AppTest:
    return open_page(_search_page)


def _search_page() -> None:
    from services.dashboard.search.page import search_page
    from shared.settings import load_settings

    search_page(load_settings())


def ask(page: AppTest, clip: str, track: object = 0, frame: object = 0) -> str:
    for name, value in (("like", clip), ("track", track), ("frame", frame)):
        page.query_params[name] = str(value)
    page.run()
    return text_of(page)


def cards_in(text: str) -> int:
    return text.count('class="rm-hit"')


def test_a_house_without_faces_says_what_to_do(page: AppTest, settings: Settings) -> None:
    page.run()
    assert f"drop one into {settings.incoming}" in text_of(page)


def test_faces_can_be_chosen_without_a_broker(
    page: AppTest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://127.0.0.1:1")
    finish_clip(settings.results, "one", [Seen(), Seen(track=1)])
    page.run()
    assert cards_in(text_of(page)) == 2
    assert cards_in(ask(page, "one")) == 1


def test_filters_narrow_what_is_found(page: AppTest, settings: Settings) -> None:
    finish_clip(settings.results, "asked", [Seen()])
    finish_clip(
        settings.results, "one", [Seen("sad", 0.6, track=1), Seen("happy", 0.8, track=2), Seen(track=2)]
    )
    finish_clip(settings.results, "two", [Seen("sad", 0.7), Seen(direction=(0, 1, 0), track=1)])
    assert cards_in(ask(page, "asked")) == 3
    page.toggle(key="hit-every").set_value(True).run()
    assert cards_in(text_of(page)) == 4
    page.pills(key="hit-emotions").set_value(["sad"]).run()
    assert cards_in(text_of(page)) == 2
    page.multiselect(key="hit-clips").set_value(["two"]).run()
    assert cards_in(text_of(page)) == 1
    page.slider(key="hit-confidence").set_value(90).run()
    assert "nothing like it" in text_of(page)
    page.multiselect(key="hit-clips").set_value([])
    page.pills(key="hit-emotions").set_value([])
    page.slider(key="hit-confidence").set_value(0)
    page.slider(key="hit-similarity").set_value(0).run()
    assert cards_in(text_of(page)) == 5


def test_more_is_shown_when_asked_for(page: AppTest, settings: Settings) -> None:
    finish_clip(settings.results, "asked", [Seen()])
    finish_clip(settings.results, "one", [Seen(track=track) for track in range(30)])
    assert cards_in(ask(page, "asked")) == 24
    page.button(key="more-hits").click().run()
    assert cards_in(text_of(page)) == 30


@pytest.mark.parametrize(("clip", "track", "frame"), [("gone", 0, 0), ("one", 0, 9), ("one", "x", "y")])
def test_a_face_that_is_gone_leaves_the_choice(
    page: AppTest, broker: Broker, settings: Settings, clip: str, track: object, frame: object
) -> None:
    finish_clip(settings.results, "one", [Seen()])
    text = ask(page, clip, track, frame)
    assert "not here any more" in text
    assert cards_in(text) == 1


def test_a_face_of_a_clip_under_way_can_be_asked_for(
    page: AppTest, broker: Broker, settings: Settings
) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(20))
    answer_all(broker)
    text = ask(page, clip.id, 0, 12)
    assert "evening/la_la.mp4" in text
    assert "no finished clip was read by nano" in text


def test_an_uploaded_picture_is_followed_until_its_face_is_known(
    page: AppTest, broker: Broker, settings: Settings
) -> None:
    page.query_params["picture"] = CONTENT
    page.run()
    assert "waits to be taken in" in text_of(page)
    clip = made_clip("one", "me.jpg")
    assert clips.create(broker, clip)
    clips.update(broker, "one", state=State.RUNNING, content=CONTENT)
    for state, fields, said in (
        (State.RUNNING, {}, "it is being read"),
        (State.DONE, {}, "no face was found in it"),
        (State.FAILED, {"error": "it cannot be decoded"}, "it cannot be decoded"),
    ):
        clips.update(broker, "one", state=state, **fields)
        st.cache_resource.clear()
        page.run()
        assert said in text_of(page)
    finish_clip(settings.results, "one", [Seen()], content=CONTENT)
    st.cache_resource.clear()
    page.run()
    assert "Moments like this one" in text_of(page)


def test_of_several_faces_in_a_picture_one_is_chosen(page: AppTest, settings: Settings) -> None:
    finish_clip(settings.results, "one", [Seen(), Seen(track=1)], content=CONTENT)
    page.query_params["picture"] = CONTENT
    page.run()
    assert "Which of these faces?" in text_of(page)
    assert cards_in(text_of(page)) == 2
