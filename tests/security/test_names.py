"""Names from outside: whatever a clip is called, its traces stay in their folders and its name stays text."""

import logging
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.dashboard import cards, status
from services.dashboard.readers import Progress
from services.dashboard.view import Answer
from services.ingest.failures import give_up
from services.recorder import files
from shared.folders import move_clip
from shared.messages import Neighbour
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.presence import Service
from shared.settings import Settings
from tests.services.dashboard.test_cards import moment

EVIL: Final = (
    "../../evil.mp4",
    "..\\..\\evil.mp4",
    "/etc/passwd",
    "C:\\windows\\evil.mp4",
    "a/../../../evil.mp4",
    "....//....//evil.mp4",
    "\N{FULLWIDTH FULL STOP}\N{FULLWIDTH FULL STOP}\N{FULLWIDTH SOLIDUS}evil.mp4",
    "\N{TWO DOT LEADER}/evil.mp4",
    "..\N{DIVISION SLASH}evil.mp4",
    "%2e%2e%2fevil.mp4",
    "..%c0%af..%c0%afevil.mp4",
    "evil.mp4\x00.txt",
    "gpj.\N{RIGHT-TO-LEFT OVERRIDE}4pm.exe",
    "e\N{COMBINING ACUTE ACCENT}" * 120,
    "\N{ZERO WIDTH SPACE}.mp4",
    "\ud800.mp4",
    "-rf *.mp4",
    "$(touch evil).mp4",
    "`touch evil`.mp4",
    "CON.mp4",
    "<script>alert(1)<script>.mp4",
    '"><img src=x onerror=alert(1)>.mp4',
    "' onmouseover='alert(1)",
    "[click](javascript:alert(1)).mp4",
    ":material/delete: $x^2$.mp4",
    "\x1b]0;owned\x07\x1b[2J.mp4",
    "a\nfake log line.mp4",
    " ",
    ".",
    "..",
)
NAMES: Final = st.one_of(
    st.sampled_from(EVIL),
    st.text(max_size=300),
    st.lists(st.sampled_from(["..", ".", "", "~", "a", "\\", "\x00", *EVIL]), max_size=6).map("/".join),
)
LIMITS: Final = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80
)


def everything(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.is_dir()}


@LIMITS
@given(name=NAMES)
def test_moved_clips_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    root = tmp_path / "deep" / "home"
    source = root / "incoming"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(name, errors="replace")
    before = everything(tmp_path)
    moved = move_clip(source, root / "done", name)
    assert everything(tmp_path) - before == {moved}
    assert moved.resolve().is_relative_to((root / "done").resolve())


@LIMITS
@given(name=NAMES, clip_id=NAMES.map(lambda text: text[:20]))
@example(name="summary.json", clip_id="../x")
def test_results_stay_in_their_folder(tmp_path: Path, name: str, clip_id: str) -> None:
    results = Path(tempfile.mkdtemp(dir=tmp_path)) / "results"
    before = everything(tmp_path)
    stem = files.safe_stem(name)
    with files.staged_folder(results, stem, clip_id) as staged:
        assert staged.parent == results
        (staged / "timeline.csv").touch()
        place = files.publish(staged, results, stem, clip_id)
    assert place.parent == results
    assert not place.name.startswith(".")
    assert all(path.parent.parent == results for path in everything(tmp_path) - before)


@LIMITS
@given(name=NAMES)
def test_the_reason_of_a_failure_lies_beside_its_clip(
    tmp_path: Path, settings: Settings, broker: Broker, name: str
) -> None:
    logging.disable()
    source = tmp_path / "source"
    source.write_text("no video")
    before = everything(tmp_path)
    clip = Clip(
        id="c1", name=name.encode(errors="replace").decode(), path=str(source), results="", model="nano"
    )
    give_up(settings, broker, clip, "not a video")
    new = everything(tmp_path) - before
    moved = next(path for path in new if not path.name.endswith(".error.json"))
    assert new == {moved, moved.with_name(f"{moved.name}.error.json")}
    assert moved.is_relative_to(settings.failed)
    logging.disable(logging.NOTSET)


def test_a_reason_overwrites_nothing(settings: Settings, broker: Broker, tmp_path: Path) -> None:
    settings.failed.mkdir(parents=True)
    clip_like = settings.failed / "a.mp4.error.json"
    clip_like.write_text("somebody's file")
    planted, outside = settings.failed / "b.mp4.error.json", tmp_path / "outside"
    planted.symlink_to(outside)
    for name in ("a.mp4", "b.mp4"):
        source = tmp_path / name
        source.write_text("no video")
        clip = Clip(id=name, name=name, path=str(source), results="", model="nano")
        give_up(settings, broker, clip, "not a video")
        assert (settings.failed / f"{name[0]} (2).mp4.error.json").is_file()
    assert clip_like.read_text() == "somebody's file"
    assert not outside.exists()


class _Reader(HTMLParser):
    """Collects what a browser would act on: tags, and their attributes but for a title's text."""

    def __init__(self) -> None:
        super().__init__()
        self.acted_on: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = [name if name == "title" else f"{name}={value}" for name, value in attrs]
        self.acted_on.append((tag, values))


def acted_on(html: str) -> list[tuple[str, list[str]]]:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.acted_on


def page_parts(name: str) -> list[str]:
    """Return every part of the page that shows a text from outside, with this text in all of them."""
    clip = Clip(
        id=name, name=name, path=name, results=name, model=name, state=State.FAILED, error=name, out=name
    )
    progress = Progress(None, None, None)
    near = Neighbour(label=name, source=name, frame=1, time_s=1.0, similarity=0.5)
    service = Service(name=name, kind=name, pid=1, host=name, device=name, model=name)
    return [
        status.headline(clip, progress),
        status.entry(clip, progress),
        status.chips([name], name),
        status.chips([name]),
        status.note(name),
        status.empty(name, name),
        status.services([service]),
        cards.neighbours(Answer(0, 0.0, (near,), True), moment()),
    ]


@LIMITS
@given(name=NAMES.filter(bool))
def test_the_dashboard_shows_any_name_as_text(name: str) -> None:
    for shown, plain in zip(page_parts(name), page_parts("x"), strict=True):
        assert acted_on(shown) == acted_on(plain)


@pytest.mark.parametrize("name", EVIL)
def test_a_status_shows_any_name(name: str, settings: Settings, broker: Broker) -> None:
    stored = name.encode(errors="replace").decode()
    clips.create(broker, Clip(id="c1", name=stored, path="/a", results="/r", model="nano"))
    assert [clip.name for clip in clips.recent(broker)] == [stored]
