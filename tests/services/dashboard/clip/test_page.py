import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import webvtt
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox, TextInput

import services.dashboard
from services.recorder.files import write_tables
from services.recorder.moments import build_moments
from services.recorder.summary import build_summary
from shared.captions import CAPTIONS
from shared.emotions import EMOTIONS
from shared.people import PEOPLE, Note, People, load, save
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings
from shared.timeline import COLUMNS
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip, write_results
from tests.services.dashboard.pages import OpenPage, text_of

APP = Path(services.dashboard.__path__[0]) / "app.py"


@pytest.fixture
def page(open_page: OpenPage) -> AppTest:
    return open_page(APP)


@pytest.fixture
def folder(broker: Broker, settings: Settings) -> Path:
    """The results of a finished clip with two faces in each of two shots: tracks 0, 1, 10 and 11."""
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(200), faces=2, last=True)
    answer_all(broker)
    out = write_results(broker, clip, settings.results)
    clips.update(broker, clip.id, state=State.DONE, out=str(out))
    return out


def drawing_on(page: AppTest) -> dict[str, Any]:
    return dict(json.loads(page.get("bidi_component")[0].proto.json))


def lanes_on(page: AppTest) -> list[str]:
    return [lane["name"] for lane in drawing_on(page)["lanes"]]


def choice(page: AppTest, label: str) -> Selectbox[Any]:
    return next(one for one in page.selectbox if one.label == label)


def name_field(page: AppTest) -> TextInput:
    return next(one for one in page.text_input if one.label == "name")


def open_tab(page: AppTest, name: str) -> None:
    page.session_state["tabs-clip-1"] = name
    page.run()


def test_a_finished_clip_is_drawn_with_lanes_cuts_and_faces(page: AppTest, folder: Path) -> None:
    page.run()
    data = drawing_on(page)
    assert lanes_on(page) == ["track 0", "track 1", "track 10", "track 11"]
    assert data["cuts"] == [4.0]
    assert data["who"] == "main face of each shot"
    assert "no longer in Reelmood" in data["says"]
    assert all(lane["face"].startswith("data:image/jpeg") for lane in data["lanes"])
    assert text_of(page).count('<section class="rm-card"') == 2
    assert "rain.mp4" in text_of(page)


def test_a_link_leads_to_its_moment(page: AppTest, folder: Path) -> None:
    page.query_params["clip"] = "clip-1"
    page.query_params["t"] = "6.4"
    page.run()
    assert drawing_on(page)["seek"]["to"] == 6.4
    assert "track 10" in text_of(page)
    page.run()
    assert drawing_on(page)["seek"]["token"] == 1


@pytest.mark.parametrize("wrong", ["soon", "nan", "inf", ""])
def test_a_wrong_moment_is_no_error(page: AppTest, folder: Path, wrong: str) -> None:
    page.query_params["t"] = wrong
    page.run()
    assert drawing_on(page)["seek"] is None


def test_a_name_is_kept_with_the_results(page: AppTest, folder: Path) -> None:
    open_tab(page, "People")
    choice(page, "face").set_value(10).run()
    name_field(page).set_value("  Mia ").run()
    assert lanes_on(page) == ["track 0", "track 1", "Mia", "track 11"]
    assert load(folder) == People(names={10: "Mia"})
    assert choice(page, "face").value == 10
    name_field(page).set_value("").run()
    assert load(folder) == People()


def test_the_captions_call_people_by_name_and_leave_hidden_ones_out(page: AppTest, folder: Path) -> None:
    open_tab(page, "People")
    choice(page, "face").set_value(10).run()
    name_field(page).set_value("Mia").run()
    voices = {cue.voice for cue in webvtt.read(str(folder / CAPTIONS), strict=True).captions}
    assert voices == {"Track 0", "Track 1", "Mia", "Track 11"}
    page.button(key="hide-clip-1").click().run()
    assert {cue.voice for cue in webvtt.read(str(folder / CAPTIONS), strict=True).captions} == voices - {
        "Mia"
    }


def test_results_whose_captions_cannot_be_written_keep_what_was_said(page: AppTest, folder: Path) -> None:
    (folder / CAPTIONS).mkdir()
    open_tab(page, "People")
    name_field(page).set_value("Mia").run()
    assert "emotions.vtt cannot be written" in page.toast[0].value.replace("\\", "")
    assert load(folder).names == {0: "Mia"}
    assert [path for path in folder.iterdir() if path.suffix == ".part"] == []


def test_two_faces_become_one_and_two_again(page: AppTest, folder: Path) -> None:
    open_tab(page, "People")
    choice(page, "face").set_value(10).run()
    page.selectbox(key="merge-clip-1-10").set_value(0).run()
    assert lanes_on(page) == ["track 0", "track 1", "track 11"]
    assert load(folder).merged == {10: 0}
    assert choice(page, "face").value == 0
    page.button(key="split-clip-1").click().run()
    assert len(lanes_on(page)) == 4


def test_a_hidden_face_comes_back(page: AppTest, folder: Path) -> None:
    open_tab(page, "People")
    page.button(key="hide-clip-1").click().run()
    assert lanes_on(page) == ["track 1", "track 10", "track 11"]
    assert choice(page, "curves of").options == [
        "main face of each shot",
        "all faces",
        "track 1",
        "track 10",
        "track 11",
    ]
    page.button(key="unhide-clip-1-0").click().run()
    assert lanes_on(page)[0] == "track 0"


def test_the_chosen_face_stays_chosen_when_it_gets_a_name(page: AppTest, folder: Path) -> None:
    open_tab(page, "People")
    choice(page, "curves of").set_value(11).run()
    assert choice(page, "face").value == 11
    name_field(page).set_value("Seb").run()
    page.run()
    assert (drawing_on(page)["who"], drawing_on(page)["chosen"]) == ("Seb", 11)


def test_a_note_is_kept_jumped_to_and_erased(page: AppTest, folder: Path) -> None:
    page.query_params["t"] = "2.5"
    open_tab(page, "Notes")
    page.text_input(key="note-clip-1").set_value("<b>look</b>").run()
    assert load(folder).notes == (Note(2.5, "<b>look</b>"),)
    assert drawing_on(page)["notes"] == [[2.5, "<b>look</b>"]]
    assert page.text_input(key="note-clip-1").value == ""
    page.button(key="note-go-clip-1-0").click().run()
    assert drawing_on(page)["seek"] == {"to": 2.5, "token": 2}
    page.button(key="note-erase-clip-1-0").click().run()
    assert load(folder) == People()


def test_the_summary_leads_to_the_strongest_moments(page: AppTest, folder: Path) -> None:
    open_tab(page, "Summary")
    assert "share of each emotion" in text_of(page)
    assert "most frequent transitions" in text_of(page)
    first = page.button(key="moment-clip-1-0")
    first.click().run()
    minutes, seconds = first.label.replace("\\", "").split(" ")[0].split(":")
    assert drawing_on(page)["seek"]["to"] == pytest.approx(60 * int(minutes) + float(seconds), abs=0.06)


def test_smoothing_and_lines_are_views(page: AppTest, folder: Path) -> None:
    page.run()
    before = np.array(drawing_on(page)["overview"]["p"][0], float)
    page.select_slider(key="smoothing").set_value(1.0).run()
    after = drawing_on(page)
    assert np.nanstd(np.array(after["overview"]["p"][0], float)) < np.nanstd(before)
    assert after["style"] == "stacked"


def test_the_map_can_be_switched_off(page: AppTest, folder: Path) -> None:
    page.run()
    assert text_of(page).count('alt="where the model looked"') == 2
    page.select_slider(key="strength").set_value(0).run()
    assert text_of(page).count('alt="where the model looked"') == 0


def test_a_running_clip_has_a_player_but_no_names_yet(
    page: AppTest, broker: Broker, settings: Settings
) -> None:
    film = settings.incoming / "la_la.mp4"
    film.parent.mkdir(parents=True)
    film.write_bytes(b"film")
    clip: Clip = msgspec.structs.replace(made_clip(), path=str(film.absolute()))
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(50), faces=2)
    answer_all(broker)
    page.run()
    assert drawing_on(page)["sources"] == [{"version": "original", "address": "/footage/clip-1/original"}]
    assert drawing_on(page)["end"] == 8
    assert "no explained face" not in text_of(page)
    page.session_state["cursor"] = clip.id, 7.0
    page.run()
    assert "its latest faces are shown" in text_of(page)
    assert text_of(page).count('<section class="rm-card"') == 2
    open_tab(page, "People")
    assert "once it is done" in text_of(page)


def test_a_damaged_people_file_is_one_line_and_stays(page: AppTest, folder: Path) -> None:
    (folder / PEOPLE).write_text("{")
    page.run()
    assert f"{PEOPLE} cannot be read" in text_of(page)
    assert len(lanes_on(page)) == 4
    open_tab(page, "People")
    page.button(key="hide-clip-1").click().run()
    assert (folder / PEOPLE).read_text() == "{"
    assert "cannot be read" in page.toast[0].value


def test_what_another_session_says_is_not_lost(page: AppTest, folder: Path) -> None:
    open_tab(page, "People")
    save(folder, People(names={1: "Seb"}))
    name_field(page).set_value("Mia").run()
    assert load(folder).names == {0: "Mia", 1: "Seb"}


def test_the_cursor_of_another_clip_is_not_this_ones(page: AppTest, folder: Path) -> None:
    page.session_state["cursor"] = "elsewhere", 7.5
    page.run()
    assert "0:00.0" in text_of(page)


def test_ten_thousand_faces_are_a_page_like_any_other(page: AppTest, settings: Settings) -> None:
    write_long_clip(settings.results / "film", faces=10_000)
    page.query_params["t"] = "180"
    page.run()
    data = drawing_on(page)
    assert len(data["overview"]["t"]) <= 700
    assert len(data["lanes"]) == 50
    assert len(json.dumps(data)) < 300_000
    open_tab(page, "Summary")
    assert "share of each emotion" in text_of(page)


def write_long_clip(folder: Path, faces: int) -> None:
    """Write the results of a clip with a face in every frame and a new track every 200 frames."""
    numbers = np.arange(faces)
    shares = np.random.default_rng(0).dirichlet(np.ones(7), faces).astype(np.float32)
    timeline = pd.DataFrame(
        {
            "frame": numbers,
            "time_s": numbers / 25,
            "shot": numbers // 1000,
            "face": 0,
            "track": numbers // 200,
            "box_x": 10,
            "box_y": 10,
            "box_w": 90,
            "box_h": 90,
            "emotion": np.array(EMOTIONS)[shares.argmax(axis=1)],
            "confidence": shares.max(axis=1),
            **{f"p_{emotion}": shares[:, column] for column, emotion in enumerate(EMOTIONS)},
            "aligned": True,
            "model": "nano",
        }
    ).astype(COLUMNS)
    clip = made_clip("clip-1", "film.mp4", frames=faces)
    folder.mkdir(parents=True)
    write_tables(folder, timeline, build_moments([], []), build_summary(clip, timeline, warnings=[]))
