import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dashboard import status
from services.dashboard.readers import Progress, Survey
from shared.queues.clips import State
from shared.queues.presence import Service
from tests.services.dashboard.made import made_clip

UNKNOWN = Progress(None, None, None)


@pytest.mark.parametrize(
    ("fields", "progress", "text"),
    [
        ({}, Progress(0.0, None, None), "waiting for its turn"),
        (
            {"state": State.RUNNING, "frames": 1500, "faces": 40, "done": 20, "failed": 1},
            Progress(0.5, 24.6, 75.0),
            "1,500 of 2,000 frames · 20 of 40 faces read · 1 given up · 25 frames/s · about 1:15 left",
        ),
        ({"state": State.FINISHING, "faces": 4, "done": 4}, UNKNOWN, "writing its files · 4 of 4 faces read"),
        ({"state": State.DONE, "frames": 9, "done": 4}, Progress(1.0, None, 0.0), "9 frames · 4 faces"),
        ({"state": State.FAILED, "error": "no video"}, UNKNOWN, "could not be analysed"),
    ],
)
def test_the_state_of_a_clip_is_said_in_words(
    fields: dict[str, object], progress: Progress, text: str
) -> None:
    clip = msgspec.structs.replace(made_clip(frames=2000), **fields)
    assert status.status(clip, progress) == text
    assert f">{clip.state.value}</span>" in status.headline(clip, progress)


def test_the_progress_bar_is_as_long_as_the_progress() -> None:
    assert "width:42.0%" in status.meter(0.42, State.RUNNING)
    assert "rm-unknown" in status.meter(None, State.RUNNING)
    assert status.meter(0.0, State.FAILED) == status.meter(0.0, State.QUEUED) == ""


def test_the_list_tells_share_and_time_left() -> None:
    clip = msgspec.structs.replace(made_clip(), state=State.RUNNING)
    assert "running · 25 % · 0:30 left" in status.entry(clip, Progress(0.25, 1.0, 30.0))


def test_facts_count_workers_and_what_waits() -> None:
    services = [
        Service(name="w1", kind="worker", pid=1, host="h", rate=10.4),
        Service(name="w2", kind="worker", pid=2, host="h", rate=20.2),
        Service(name="i1", kind="ingest", pid=3, host="h", rate=99.0),
    ]
    depths = {"faces": 1200, "queries": 3, "clips": 2, "finish": 0, "dead": 1}
    facts = status.facts(Survey([], services, depths))
    assert facts == [
        "2 workers",
        "31 faces/s",
        "1,200 faces waiting",
        "3 searches waiting",
        "2 clips waiting",
        "1 given up",
    ]
    assert status.facts(Survey([], services[:1], {}))[0] == "1 worker"
    assert not any("given up" in fact for fact in status.facts(Survey([], [], {})))


def test_a_problem_takes_the_place_of_the_facts() -> None:
    html = status.chips(["2 workers"], "the broker is away")
    assert "the broker is away" in html
    assert "2 workers" not in html


@given(st.text(min_size=1))
def test_names_never_become_html(name: str) -> None:
    evil = msgspec.structs.replace(made_clip(name=name), state=State.FAILED, error=name)
    plain = msgspec.structs.replace(evil, name="x", error="x")
    service = Service(name=name, kind=name, pid=1, host=name, device=name, model=name)
    for one, other in (
        (status.headline(evil, UNKNOWN), status.headline(plain, UNKNOWN)),
        (status.note(name), status.note("x")),
        (status.empty(name, name), status.empty("x", "x")),
        (status.chips([name]), status.chips(["x"])),
    ):
        assert one.count("<") == other.count("<")
    assert status.services([service]).count("<td>") == 5


@given(st.text())
def test_markdown_finds_nothing_to_do_in_a_name(name: str) -> None:
    escaped = status.plain(name)
    assert re.sub(r"\\(.)", r"\1", escaped, flags=re.S) == name
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`\[\]:$]", escaped)
