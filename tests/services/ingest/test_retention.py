"""What is older than the retention goes; what is younger, or not of Reelmood's making, stays."""

import json
import logging
import os
import threading
import time
from pathlib import Path

import pytest

from services.ingest import watcher
from services.ingest.retention import sweep
from shared.pulse import Pulse
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings

DAY_S = 24 * 3600


def write(path: Path, text: str = "content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def kept(settings: Settings, broker: Broker) -> Settings:
    """A home with something of every kind, and settings that keep it for two days."""
    write(settings.done / "films" / "a.mp4")
    write(settings.failed / "bad.mp4")
    write(settings.failed / "bad.mp4.error.json")
    write(settings.failed / "alone.mp4.error.json")
    write(settings.incoming / "waiting.mp4")
    write(settings.results / "a" / "summary.json", json.dumps({"id": "ida", "clip": "films/a.mp4"}))
    write(settings.results / "a" / "timeline.csv")
    write(settings.results / ".b-idb.partial" / "timeline.csv")
    write(settings.results / "of the user" / "notes.txt")
    write(settings.models / "large" / "config.json")
    for state, clip_id in ((State.DONE, "ida"), (State.FAILED, "idf"), (State.RUNNING, "idr")):
        clip = Clip(id=clip_id, name=clip_id, path="/nowhere", results="/nowhere", model="nano")
        clips.create(broker, clip)
        clips.update(broker, clip_id, state=state, finished_s=0.0 if state is State.RUNNING else time.time())
    return settings.model_copy(update={"retention_days": 2.0})


def left(settings: Settings) -> set[str]:
    paths = (path for path in settings.home.rglob("*") if path.is_file())
    return {path.relative_to(settings.home).as_posix() for path in paths}


def test_nothing_goes_before_its_time(kept: Settings, broker: Broker) -> None:
    before = left(kept)
    assert sweep(kept, broker, time.time() + 1.9 * DAY_S) == 0
    assert left(kept) == before
    assert len(clips.recent(broker)) == 3


def test_what_is_older_goes_and_is_told_in_a_line_each(
    kept: Settings, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        removed = sweep(kept, broker, time.time() + 2.1 * DAY_S)
    assert left(kept) == {"incoming/waiting.mp4", "results/of the user/notes.txt", "models/large/config.json"}
    assert [clip.id for clip in clips.recent(broker)] == ["idr"]
    assert not (kept.done / "films").exists()
    assert removed == len(caplog.messages) == 7
    assert sweep(kept, broker, time.time() + 2.1 * DAY_S) == 0


def test_an_old_film_that_came_today_stays(kept: Settings, broker: Broker) -> None:
    os.utime(kept.done / "films" / "a.mp4", (0, 0))
    sweep(kept, broker, time.time())
    assert (kept.done / "films" / "a.mp4").exists()


def test_what_cannot_be_deleted_is_told_and_holds_nothing_up(
    kept: Settings, broker: Broker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shared.traces.remove_folder", refuse)
    sweep(kept, broker, time.time() + 3 * DAY_S)
    assert "results/a cannot be deleted: permission denied" in caplog.text
    assert not (kept.failed / "bad.mp4").exists()


def test_links_in_the_folders_do_not_lead_out(kept: Settings, broker: Broker, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "summary.json", json.dumps({"id": "ido", "clip": "o.mp4"}))
    (kept.done / "link.mp4").symlink_to(outside)
    (kept.done / "linked").symlink_to(outside.parent)
    (kept.results / "linked").symlink_to(outside.parent)
    sweep(kept, broker, time.time() + 3 * DAY_S)
    assert outside.exists()


@pytest.mark.parametrize(("days", "sweeps"), [(0.0, 0), (2.0, 1)])
def test_the_watcher_sweeps_at_its_start_when_a_retention_is_set(
    kept: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch, days: float, sweeps: int
) -> None:
    stop, swept, rounds = threading.Event(), list[float](), list[float]()

    def go_round(_settings: Settings, _broker: Broker, _memory: object, now_s: float) -> bool:
        rounds.append(now_s)
        if len(rounds) == 3:
            stop.set()
        return True

    monkeypatch.setattr(watcher, "go_round", go_round)
    monkeypatch.setattr(watcher, "sweep", lambda _settings, _broker, now_s: swept.append(now_s))
    watcher.watch(kept.model_copy(update={"retention_days": days}), broker, stop, Pulse())
    assert (len(rounds), len(swept)) == (3, sweeps)
