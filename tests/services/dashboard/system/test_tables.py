import pytest

from services.dashboard.system import tables
from services.dashboard.system.disk import Disk, Folder, Model
from services.dashboard.system.report import Queue
from shared.queues.letters import Row
from shared.queues.presence import Service


def test_text_from_outside_is_escaped() -> None:
    evil = "<img src=x>"
    service = Service(name=evil, kind="worker", pid=1, host="h", device=evil, model=evil, note=evil)
    row = Row(id="1-1", when=None, stage="faces", clip="c", name=evil, error=evil, bytes=1)
    shown = [
        tables.services([service]),
        tables.letter(row),
        tables.models([Model(name=evil, size=evil, bytes=1, active=True, before=False)]),
        tables.disk(Disk([Folder(evil, 1, 1)], 10, 5)),
    ]
    assert not any(evil in html for html in shown)
    assert all("&lt;img" in html for html in shown)


def test_a_letter_says_where_and_why() -> None:
    row = Row(
        id="1-1", when="2026-01-01T10:00:00+00:00", stage="queries", clip="c", name="a.mp4", error="no",
        bytes=1, frame=5, time_s=61.5, face=0, track=3,
    )  # fmt: skip
    html = tables.letter(row)
    assert "<p>no</p>" in html
    assert "a.mp4 · at 1:01.5 · track 3 · search · 2026-01-01" in html
    assert "of no stage" in tables.letter(
        Row(id="1", when=None, stage=None, clip="", name="", error="", bytes=0)
    )


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (5.5e12, "5.5 TB")],
)
def test_bytes_are_short(count: float, words: str) -> None:
    assert f"{words} free" in tables.disk(Disk([], 10**15, int(count))).replace(" of 1,000 TB", "")


def test_a_disk_that_is_nearly_full_looks_so() -> None:
    assert "rm-failed" in tables.disk(Disk([], 100, 5))
    assert "rm-done" in tables.disk(Disk([Folder("done", 7, 7, whole=False)], 100, 50))
    assert "more than 7" in tables.disk(Disk([Folder("done", 7, 7, whole=False)], 100, 50))


def test_queues_that_are_empty_have_no_age() -> None:
    html = tables.queues([Queue("faces", 1_200, 32, 75.0), Queue("queries", 0, 0, 0.0)])
    assert "1,200" in html
    assert "1:15" in html
    assert "<td class=rm-figure>–</td>" in html


def test_rates_name_what_was_dropped() -> None:
    assert tables.rates({"frames": 12.34}, {"workers_behind": 1_000, "frame_lost": 0}) == [
        "12.3 frames/s",
        "1,000 frames dropped (workers behind)",
    ]
