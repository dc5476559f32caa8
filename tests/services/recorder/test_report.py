import base64
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from services.recorder import report
from services.recorder.report import build_report
from services.recorder.timeline import build_timeline
from shared.messages import Frame
from shared.people import Note, People
from tests.services.recorder.finished import NAME, pictures_of, readings, write_finished
from tests.services.recorder.makers import HAPPY, place, reading

LINKING = {
    "action",
    "background",
    "cite",
    "data",
    "formaction",
    "href",
    "poster",
    "src",
    "srcset",
    "xlink:href",
}
VOID = {"img", "meta", "br"}


class Page(HTMLParser):
    """What a page consists of: tags, attributes, text; whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str]:
        return [value or "" for _, known in self.tags for name, value in known.items() if name in LINKING]


def page_of(folder: Path, people: People = People(), *, pictures: bool = True) -> Page:  # noqa: B008 - frozen
    timeline = pd.read_parquet(folder / "timeline.parquet")
    moments = pq.read_table(folder / "moments.parquet") if pictures else None
    return Page(build_report(timeline, NAME, ["a <i>warning</i>"], moments, people))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_finished(tmp_path / "clip")


def test_the_page_is_whole_and_refers_to_nothing_outside(folder: Path) -> None:
    page = page_of(folder)
    assert page.open == []
    assert {link.split(",")[0] for link in page.links()} == {"data:image/jpeg;base64"}
    styles = [value or "" for _, known in page.tags for name, value in known.items() if name == "style"]
    assert not any("url(" in style or "@import" in style for style in [*styles, page.text])
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    (policy,) = [known["content"] for _, known in page.tags if "http-equiv" in known]
    assert policy
    assert policy.startswith("default-src 'none'")


def test_names_and_warnings_are_text(folder: Path) -> None:
    page = page_of(folder)
    assert NAME in page.text
    assert "a <i>warning</i>" in page.text
    assert not {"b", "i"} & {tag for tag, _ in page.tags}


def test_the_pictures_are_those_of_the_moments(folder: Path) -> None:
    shown = {base64.b64decode(link.split(",")[1]) for link in page_of(folder).links()}
    known = pictures_of(folder)
    # Best of track 0 and 1 (of equals the earliest), and beside the peaks of happy, sad, happy.
    assert shown == {known[0], known[10], known[30]}


def test_it_tells_the_figures_of_the_clip(folder: Path) -> None:
    text = page_of(folder).text
    for figure in (
        "0:01.6",
        "40 (75% with faces)",
        "nano@00000000",
        "happy 66%",
        "sad 34%",
        "no face, 0:00.8–0:01.2",
    ):
        assert figure in text
    lanes = [known["aria-label"] for tag, known in page_of(folder).tags if tag == "svg"]
    assert lanes == [
        "Emotions of Track 0 over the clip",
        "Emotions of Track 1 over the clip",
        "Stretches without a face",
        "Probabilities of the emotions of Track 0, stacked",
        "Probabilities of the emotions of Track 1, stacked",
    ]


def test_it_calls_people_by_name_and_tells_what_was_noted(folder: Path) -> None:
    people = People(names={0: "Mia <i>"}, notes=(Note(0.5, "a <b>smile</b>"),))
    page = page_of(folder, people)
    lanes = [known["aria-label"] for tag, known in page.tags if tag == "svg"]
    assert lanes[:2] == ["Emotions of Mia <i> over the clip", "Emotions of Track 1 over the clip"]
    assert "Track 0" not in page.text
    assert "a <b>smile</b>" in page.text
    assert not {"b", "i"} & {tag for tag, _ in page.tags}


def test_merged_tracks_are_one(folder: Path) -> None:
    page = page_of(folder, People(names={1: "Mia"}, merged={0: 1}))
    lanes = [known["aria-label"] for tag, known in page.tags if tag == "svg"]
    assert lanes[0] == "Emotions of Mia over the clip"
    assert len(lanes) == 3
    # The first of the two that were best, and beside the peaks of happy, sad, happy.
    shown, known = {base64.b64decode(link.split(",")[1]) for link in page.links()}, pictures_of(folder)
    assert shown == {known[0], known[10], known[30]}


def test_who_is_hidden_is_in_no_figure(folder: Path) -> None:
    page = page_of(folder, People(hidden=frozenset({1})))
    shown, known = {base64.b64decode(link.split(",")[1]) for link in page.links()}, pictures_of(folder)
    assert shown == {known[0], known[10]}
    assert "happy 50%" in page.text
    assert "left out here and below" in page.text
    assert "no face, 0:00.8–0:01.2" in page.text  # where hidden faces are seen, there are faces
    assert "Track 1" not in page.text


def test_a_clip_whose_faces_are_all_hidden(folder: Path) -> None:
    page = page_of(folder, People(hidden=frozenset({0, 1})))
    assert page.open == []
    assert "All faces of this clip are hidden." in page.text
    assert page.links() == []


def test_without_moments_it_shows_no_face(folder: Path) -> None:
    page = page_of(folder, pictures=False)
    assert page.links() == []
    assert "img" not in {tag for tag, _ in page.tags}
    assert "Track 1" in page.text


def test_results_without_pictures_show_no_face(tmp_path: Path) -> None:
    assert page_of(write_finished(tmp_path / "blurred", pictures=False)).links() == []


@pytest.mark.parametrize("frames", [[], [Frame(0, 0.0, 0, 0)]])
def test_a_clip_without_faces(frames: list[Frame]) -> None:
    page = Page(build_report(build_timeline(frames, []), "clip", [], None, People()))
    assert page.open == []
    assert "No face was found" in page.text


def test_a_picture(folder: Path) -> None:
    timeline = build_timeline([Frame(0, 0.0, 0, 1)], [reading(place(0), HAPPY)])
    page = Page(build_report(timeline, "still.png", [], None, People()))
    assert page.open == []
    assert "happy 100%" in page.text


def test_of_many_tracks_those_seen_longest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "CARDS", 1)
    timeline = build_timeline([Frame(index, index / 25, 0, 0) for index in range(40)], readings())
    text = Page(build_report(timeline, "clip", [], None, People())).text
    assert "The 1 of 2 that are seen longest." in text
