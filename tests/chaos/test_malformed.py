"""Damage on every stream and hash: set aside with its reason, while the clip comes to its end."""

import json
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from services.dashboard.readers import follow, survey
from services.dashboard.view import View
from services.ingest.job import ingest
from services.ingest.oversight import Oversight, oversee
from services.recorder.job import finish
from shared.messages import VERSION, Face, decode
from shared.queues import clips, dead, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings
from tests.chaos.inside import serving
from tests.clips import walk, write_clip
from tests.integration.reelmood import eventually

FRAMES = 16
NEWER = bytes([VERSION + 1])
JUNK: list[dict[str, str | bytes]] = [
    {"m": b""},
    {"m": b"\x01\xdd\xff\xff\xff\xff"},
    {"m": b"\x01" + b"\x91" * 100_000},
    {"c": b"\xff\xfe", "m": b"\x01\x80"},
    {"c": "nobody", "m": b"\x01\x81\xa5place\xc0"},
    {"stray": b"x"},
]


@pytest.fixture
def clip(settings: Settings, broker: Broker) -> Clip:
    """A clip that is decoded, and whose faces wait: one in every frame."""
    path = write_clip(settings.incoming / "a.mp4", walk(FRAMES))
    ordered = Clip(id="c", name="a.mp4", path=str(path), results=str(settings.results), model="m")
    assert clips.create(broker, ordered)
    ingest(settings, broker, "c")
    assert broker.client.xlen(broker.keys.faces) == FRAMES
    return ordered


def _serve_and_finish(settings: Settings, broker: Broker) -> Clip:
    with serving(settings, broker):
        eventually(lambda: not any(_waiting(broker)), "every entry is handled")
    oversee(settings, broker, Oversight(), 0.0)
    finish(settings, broker, "c")
    ended = clips.get(broker, "c")
    assert ended is not None
    assert ended.state is State.DONE
    return ended


def _waiting(broker: Broker) -> tuple[int, int]:
    depths = work.depths(broker)
    return depths["faces"], depths["queries"]


def _summary(settings: Settings) -> dict[str, list[str]]:
    summary: dict[str, list[str]] = json.loads((settings.results / "a" / "summary.json").read_text())
    return summary


@pytest.mark.parametrize("stream", ["faces", "queries"])
def test_strange_work_is_given_up_with_a_reason_and_costs_no_face(
    settings: Settings, broker: Broker, clip: Clip, stream: str
) -> None:
    for fields in JUNK:
        broker.client.xadd(getattr(broker.keys, stream), fields)
    ended = _serve_and_finish(settings, broker)
    assert (ended.done, ended.failed, ended.unexplained) == (FRAMES, 0, 0)
    letters = list(dead.letters(broker))
    assert len(letters) == len(JUNK)
    assert all(letter.error for letter in letters)
    assert pd.read_parquet(settings.results / "a" / "timeline.parquet").emotion.notna().sum() == FRAMES
    assert _summary(settings)["warnings"] == []


@pytest.mark.parametrize("stream", ["frames", "readings", "neighbours"])
def test_strange_results_are_passed_over_and_told(
    settings: Settings, broker: Broker, clip: Clip, stream: str
) -> None:
    for fields in JUNK:
        broker.client.xadd(getattr(broker.keys, stream)("c"), fields)
    view = follow(broker, View("c"), budget_s=10)
    assert view.last_frame == FRAMES - 1
    _serve_and_finish(settings, broker)
    assert len(follow(broker, view, budget_s=10).time_s) == FRAMES
    assert pd.read_parquet(settings.results / "a" / "timeline.parquet").emotion.notna().sum() == FRAMES
    [warning] = _summary(settings)["warnings"]
    assert f"missing: {len(JUNK)}," in warning


def test_a_face_of_a_newer_schema_is_given_up_and_read_after_the_upgrade(
    settings: Settings, broker: Broker, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, fields = broker.client.xrange(broker.keys.faces)[3]
    broker.client.xdel(broker.keys.faces, entry)
    broker.client.xadd(broker.keys.faces, {"c": "c", "m": NEWER + fields[b"m"][1:]})
    ended = _serve_and_finish(settings, broker)
    assert (ended.done, ended.failed) == (FRAMES - 1, 1)
    [letter] = dead.letters(broker)
    assert letter.error == f"message of schema version {VERSION + 1}, this Reelmood reads version {VERSION}"

    def upgraded(kind: type[Face], data: bytes) -> Face:
        return decode(kind, bytes([VERSION]) + data[1:])

    monkeypatch.setattr("services.worker.batch.decode", upgraded)
    assert dead.retry(broker, letter) is dead.Fate.REOPENED
    ended = _serve_and_finish(settings, broker)
    assert (ended.done, ended.failed) == (FRAMES, 0)
    assert pd.read_parquet(settings.results / "a" / "timeline.parquet").emotion.notna().sum() == FRAMES


def test_entries_that_name_a_clip_and_were_never_counted_neither_end_it_early_nor_hold_it_up(
    settings: Settings, broker: Broker
) -> None:
    path = write_clip(settings.incoming / "a.mp4", walk(FRAMES))
    ordered = Clip(id="c", name="a.mp4", path=str(path), results=str(settings.results), model="m")
    assert clips.create(broker, ordered)
    for _ in range(5):
        broker.client.xadd(broker.keys.faces, {"c": "c", "m": b"junk"})
    with serving(settings, broker):
        eventually(lambda: not any(_waiting(broker)), "the strange entries are handled")
    assert broker.client.smembers(broker.keys.completed) == set()
    ingest(settings, broker, "c")
    ended = _serve_and_finish(settings, broker)
    assert (ended.done, ended.failed) == (FRAMES, 5)
    assert pd.read_parquet(settings.results / "a" / "timeline.parquet").emotion.notna().sum() == FRAMES


def test_damaged_hashes_hide_nothing_else(settings: Settings, broker: Broker, clip: Clip) -> None:
    broker.client.hset(broker.keys.services, "worker-9", b"\xff{")
    other = msgspec.structs.replace(clip, id="d", name="d.mp4", path=str(Path(clip.path).with_name("d.mp4")))
    assert clips.create(broker, other)
    broker.client.hset(broker.keys.clip("d"), "frames", b"many")
    assert [one.id for one in survey(broker).clips] == ["c"]
    oversee(settings, broker, Oversight(), 0.0)
    assert clips.known(broker, ["c", "d"]) == {"c"}
    assert _serve_and_finish(settings, broker).done == FRAMES
