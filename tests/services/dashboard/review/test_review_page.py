"""The Review page as a browser session opens it."""

import pytest
from streamlit.testing.v1 import AppTest

from services.dashboard import reelmood
from services.dashboard.reelmood import Order
from shared import corrections
from shared.corrections import LABELS_FILE, NO_FACE
from shared.errors import ReelmoodError
from shared.settings import Settings
from tests.services.dashboard.library.made import Seen, blurred_face, finish_clip
from tests.services.dashboard.pages import OpenPage, text_of
from tests.shared.test_corrections import correction


@pytest.fixture
def page(open_page: OpenPage) -> AppTest:
    return open_page(_review_page)


def _review_page() -> None:
    from services.dashboard.review.page import review_page
    from shared.settings import load_settings

    review_page(load_settings())


def unsure(track: int, margin: float = 0.05) -> Seen:
    return Seen("sad", 0.3 + margin, 0.3, track=track)


def test_a_house_without_faces_says_what_to_do(page: AppTest, settings: Settings) -> None:
    page.run()
    assert f"drop one into {settings.incoming}" in text_of(page)
    assert page.button(key="order").disabled


def test_uncertain_faces_are_shown_and_blurred_ones_set_aside(page: AppTest, settings: Settings) -> None:
    blurred = Seen("sad", 0.31, 0.3, track=9, picture=blurred_face())
    finish_clip(settings.results, "one", [unsure(0), unsure(1), blurred, Seen(track=5)])
    page.run()
    assert "0 of 2 decided and saved · 1 set aside as blurred" in text_of(page)
    page.segmented_control(key="review-kind").set_value("set aside as blurred").run()
    assert "0 of 1 decided" in text_of(page)


def test_faces_that_are_passed_over_make_room_until_they_are_wanted_again(
    page: AppTest, settings: Settings
) -> None:
    finish_clip(settings.results, "one", [unsure(track) for track in range(30)])
    page.run()
    for decided in ("0 of 24", "0 of 6"):
        assert f"{decided} decided" in text_of(page)
        page.button(key="next-faces").click().run()
    assert "nothing to review" in text_of(page)
    page.button(key="passed-faces").click().run()
    assert "0 of 24 decided" in text_of(page)


def test_a_higher_margin_brings_more(page: AppTest, settings: Settings) -> None:
    finish_clip(settings.results, "one", [unsure(0, margin=0.3)])
    page.run()
    assert "nothing to review" in text_of(page)
    page.slider(key="review-margin").set_value(50).run()
    assert "0 of 1 decided" in text_of(page)


def test_what_is_decided_does_not_come_again_and_can_be_trained_on(page: AppTest, settings: Settings) -> None:
    finish_clip(settings.results, "one", [unsure(0), unsure(1)])
    decided = [correction("sad", clip="one", predicted="sad"), correction("happy", clip="other")]
    corrections.put(settings.corrections, dict.fromkeys(decided, b"jpeg"))
    page.run()
    assert "0 of 1 decided" in text_of(page)
    assert "2 faces decided, 1 corrected" in text_of(page)
    page.button(key="order").click().run()
    assert "queue the run" in [button.label for button in page.button]


def test_what_is_no_face_is_counted_apart_and_is_nothing_to_train_on(
    page: AppTest, settings: Settings
) -> None:
    corrections.put(settings.corrections, {correction(NO_FACE): b"jpeg"})
    page.run()
    assert "0 faces decided, 0 corrected" in text_of(page)
    assert "1 no face, left out of training" in text_of(page)
    assert page.button(key="order").disabled


@pytest.fixture
def dialog(page: AppTest) -> AppTest:
    """The dialog for a run on the corrections, open."""
    dialog = AppTest.from_function(_new_run, default_timeout=20)
    return dialog.run()


def _new_run() -> None:
    from services.dashboard.review import order
    from shared.settings import load_settings

    order.queued()
    order.new_run(load_settings())


def submit(dialog: AppTest) -> str:
    dialog.button[0].click().run()
    return text_of(dialog)


def test_a_run_on_the_corrections_is_queued_alone_or_mixed_in(
    dialog: AppTest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[Order] = []
    monkeypatch.setattr(reelmood, "train", lambda _, order: orders.append(order))
    dialog.text_input[0].set_value(" better ")
    assert 'href="./training?run=better"' in submit(dialog)
    dialog.selectbox[0].set_value("rafdb")
    dialog.text_input[2].set_value("/data/rafdb")
    submit(dialog)
    alone, mixed = orders
    assert (alone.name, alone.dataset, alone.add_corrections, alone.limit) == (
        " better ",
        "corrections",
        False,
        0,
    )
    assert alone.data == str(settings.corrections)
    assert (mixed.dataset, mixed.data, mixed.add_corrections, mixed.limit) == (
        "rafdb",
        "/data/rafdb",
        True,
        2000,
    )


def test_a_run_that_is_refused_says_why(dialog: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_settings: Settings, _order: Order) -> str:
        raise ReelmoodError("a run <b>mine</b> is queued already")

    monkeypatch.setattr(reelmood, "train", refuse)
    assert "a run &lt;b&gt;mine&lt;/b&gt; is queued already" in submit(dialog)


def test_damaged_labels_are_one_line_on_the_page(page: AppTest, settings: Settings) -> None:
    settings.corrections.mkdir(parents=True)
    (settings.corrections / LABELS_FILE).write_text("nonsense\n")
    page.run()
    assert f"{LABELS_FILE}, line 1: " in text_of(page)
