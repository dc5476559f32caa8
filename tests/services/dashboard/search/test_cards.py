from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from services.dashboard.search import cards, links
from services.dashboard.search.asked import of_finished
from services.dashboard.search.hits import Hit
from tests.services.dashboard.library.made import Seen, library_of

EVIL = '"><script>alert(1)</script>'


class Page(HTMLParser):
    """The elements of a piece of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def addresses(self) -> list[str]:
        return [str(attributes["href"]) for tag, attributes in self.elements if tag == "a"]


def test_a_hit_leads_to_its_moment_and_to_what_is_like_it(tmp_path: Path) -> None:
    [faces] = library_of(tmp_path, Seen(), Seen("sad", 0.6, track=3))
    page = Page(cards.found([Hit(faces, 1, 0.876)], [b"jpeg"]))
    assert page.addresses == [links.moment("one", 0.04), links.alike("one", 3, 1)]
    for part in ("0.88", "sad 60%", "one.mp4", "0:00.0"):
        assert part in page.text
    assert [tag for tag, _ in page.elements].count("img") == 1


def test_a_face_without_a_picture_says_so(tmp_path: Path) -> None:
    [faces] = library_of(tmp_path, Seen())
    page = Page(cards.choice([(faces, 0)], [b""]))
    assert "not kept" in page.text
    assert page.addresses == [links.alike("one", 0, 0)]


@pytest.mark.parametrize("clip", [EVIL, "a&b=c#d?e", "\ud800"])
def test_names_stay_text_and_ids_stay_values(tmp_path: Path, clip: str) -> None:
    library = library_of(tmp_path, Seen())
    [faces] = library
    object.__setattr__(faces, "clip", clip)
    object.__setattr__(faces, "name", EVIL)
    asked = of_finished(library, clip, 0, 0)
    assert asked is not None
    for html in (
        cards.found([Hit(faces, 0, 1.0)], [b""]),
        cards.choice([(faces, 0)], [b""]),
        cards.question(asked),
    ):
        page = Page(html)
        assert "script" not in [tag for tag, _ in page.elements]
        assert EVIL in page.text
        for address in page.addresses[:1]:
            values = parse_qs(urlsplit(address).query, errors="replace")
            assert values.get("clip", values.get("like")) == [clip.replace("\ud800", "?")]


def test_addresses_lead_to_the_pages_from_every_page() -> None:
    for page in ("http://host/", "http://host/search?like=1", "http://host/review"):
        assert urljoin(page, links.moment("id", 1.5)) == "http://host/?clip=id&t=1.500"
        assert urljoin(page, links.alike("id", 2, 3)) == "http://host/search?like=id&track=2&frame=3"
