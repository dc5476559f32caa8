"""What the watcher takes from the incoming folder, what it leaves, and what it makes of a second copy."""

import logging
import os
import shutil
import threading
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from services.ingest import watcher
from services.ingest.watcher import Memory, go_round, watch
from shared.poster.active import Promotion, write_promotions
from shared.pulse import Pulse
from shared.queues import clips, jobs
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings


def _drop(settings: Settings, name: str, content: bytes = b"content") -> Path:
    path = settings.incoming / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _only(broker: Broker) -> Clip:
    [clip] = clips.recent(broker)
    return clip


def _end(settings: Settings, broker: Broker, clip: Clip) -> None:
    """Do what the recorder does at a clip's end."""
    out = Path(clip.results) / clip.name
    out.mkdir(parents=True)
    settings.done.mkdir(exist_ok=True)
    shutil.move(clip.path, settings.done)
    clips.update(broker, clip.id, state=State.DONE, out=str(out))


def test_a_clip_that_arrives_is_queued_once(settings: Settings, broker: Broker) -> None:
    path, memory = _drop(settings, "films/a.mp4"), Memory()
    for now_s in (1.0, 2.0, 3.0):
        go_round(settings, broker, memory, now_s)
    clip = _only(broker)
    assert (clip.name, clip.path, clip.state) == ("films/a.mp4", str(path), State.QUEUED)
    assert (clip.model, clip.results) == ("nano", str(settings.results))
    assert jobs.lengths(broker)["clips"] == 1


@pytest.mark.parametrize(
    "name", ["a b.mp4", 'it\'s "quoted".mp4', "\N{GRINNING FACE}.mp4", "a../b..mp4", "ä/%s{0} %03d.mkv"]
)
def test_unusual_names_are_kept(settings: Settings, broker: Broker, name: str) -> None:
    path = _drop(settings, name)
    go_round(settings, broker, Memory(), 1.0)
    assert (settings.incoming / _only(broker).name, _only(broker).path) == (path, str(path))


def test_a_name_that_steers_terminals_is_shown_without(settings: Settings, broker: Broker) -> None:
    path = _drop(settings, "a\n\x1b[2Jb.mp4")
    go_round(settings, broker, Memory(), 1.0)
    assert (_only(broker).name, _only(broker).path) == ("a��[2Jb.mp4", str(path))


def test_a_name_that_is_no_unicode_is_mended(settings: Settings, broker: Broker) -> None:
    _drop(settings, os.fsdecode(b"caf\xe9.mp4"))
    go_round(settings, broker, Memory(), 1.0)
    assert _only(broker).name == "caf�.mp4"
    assert Path(_only(broker).path).read_bytes() == b"content"


def test_a_file_that_is_still_being_copied_waits(settings: Settings, broker: Broker) -> None:
    settings = settings.model_copy(update={"stable_s": 1.0})
    memory, path = Memory(), _drop(settings, "a.mp4", b"1")
    for now_s in (0.0, 0.9, 1.8, 2.7):
        go_round(settings, broker, memory, now_s)
        with path.open("ab") as file:
            file.write(b"more")
    go_round(settings, broker, memory, 3.0)
    assert clips.recent(broker) == []
    go_round(settings, broker, memory, 4.0)
    assert _only(broker).name == "a.mp4"


def test_hidden_and_partial_files_and_folders_wait(settings: Settings, broker: Broker) -> None:
    for name in (".a.mp4", "b.mp4.part", ".sync/c.mp4"):
        _drop(settings, name)
    (settings.incoming / "x.mp4").mkdir()
    go_round(settings, broker, Memory(), 1.0)
    assert clips.recent(broker) == []


def test_a_link_out_of_the_folder_is_left_alone_and_told_of_once(
    settings: Settings, broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    settings.incoming.mkdir(parents=True)
    (settings.incoming / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    memory = Memory()
    for now_s in (1.0, 2.0, 3.0):
        go_round(settings, broker, memory, now_s)
    assert clips.recent(broker) == []
    assert caplog.messages == ["link.mp4 is a symbolic link, left alone"]
    assert (tmp_path / "secret.mp4").exists()


@pytest.mark.parametrize("state", [State.RUNNING, State.FINISHING])
def test_a_second_copy_of_a_clip_under_way_is_put_away(
    settings: Settings, broker: Broker, state: State
) -> None:
    memory, path = Memory(), _drop(settings, "a.mp4")
    go_round(settings, broker, memory, 1.0)
    clips.update(broker, _only(broker).id, state=state)
    copy = _drop(settings, "copy.mp4")
    go_round(settings, broker, memory, 2.0)
    assert path.exists()
    assert not copy.exists()
    assert (settings.done / "copy.mp4").exists()
    assert jobs.lengths(broker)["clips"] == 1


def test_the_same_clip_again_is_a_no_op_that_says_so(
    settings: Settings, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    memory = Memory()
    _drop(settings, "a.mp4")
    go_round(settings, broker, memory, 1.0)
    _end(settings, broker, _only(broker))
    go_round(settings, broker, memory, 2.0)
    caplog.set_level(logging.INFO)
    path = _drop(settings, "a.mp4")
    go_round(settings, broker, memory, 3.0)
    assert caplog.messages == ["a.mp4 is the same clip as a.mp4, which is done"]
    assert not path.exists()
    assert sorted(file.name for file in settings.done.iterdir()) == ["a (2).mp4", "a.mp4"]
    assert _only(broker).state is State.DONE


def test_a_clip_whose_results_are_gone_is_analysed_again(settings: Settings, broker: Broker) -> None:
    memory = Memory()
    _drop(settings, "a.mp4")
    go_round(settings, broker, memory, 1.0)
    _end(settings, broker, _only(broker))
    shutil.rmtree(settings.results)
    go_round(settings, broker, memory, 2.0)
    _drop(settings, "a.mp4")
    go_round(settings, broker, memory, 3.0)
    assert _only(broker).state is State.QUEUED


def test_a_failed_clip_that_comes_back_is_tried_again(settings: Settings, broker: Broker) -> None:
    _drop(settings, "a.mp4")
    go_round(settings, broker, Memory(), 1.0)
    clips.update(broker, _only(broker).id, state=State.FAILED, error="the disk was full")
    go_round(settings, broker, Memory(), 2.0)
    assert (_only(broker).state, _only(broker).error) == (State.QUEUED, "")


def test_a_restarted_watcher_leaves_clips_under_way_to_their_jobs(settings: Settings, broker: Broker) -> None:
    path = _drop(settings, "a.mp4")
    go_round(settings, broker, Memory(), 1.0)
    go_round(settings, broker, Memory(), 2.0)
    assert path.exists()
    assert jobs.lengths(broker)["clips"] == 1


def test_a_clip_that_was_registered_but_not_queued_is_queued(settings: Settings, broker: Broker) -> None:
    _drop(settings, "a.mp4")
    go_round(settings, broker, Memory(), 1.0)
    clip = _only(broker)
    broker.client.flushall()
    clips.create(broker, clip)
    go_round(settings, broker, Memory(), 2.0)
    assert jobs.lengths(broker)["clips"] == 1


def test_a_queued_clip_that_is_renamed_goes_on_under_its_new_name(settings: Settings, broker: Broker) -> None:
    memory, path = Memory(), _drop(settings, "a.mp4")
    go_round(settings, broker, memory, 1.0)
    path.rename(settings.incoming / "b.mp4")
    go_round(settings, broker, memory, 2.0)
    assert (_only(broker).name, _only(broker).path) == ("b.mp4", str(settings.incoming / "b.mp4"))


def test_another_model_is_another_run(settings: Settings, broker: Broker) -> None:
    _drop(settings, "a.mp4")
    go_round(settings, broker, Memory(), 1.0)
    _end(settings, broker, _only(broker))
    _drop(settings, "a.mp4")
    go_round(settings.model_copy(update={"model": "large"}), broker, Memory(), 2.0)
    assert sorted(clip.model for clip in clips.recent(broker)) == ["large", "nano"]


def test_a_clip_that_the_broker_has_forgotten_starts_again(settings: Settings, broker: Broker) -> None:
    memory, path = Memory(), _drop(settings, "a.mp4")
    go_round(settings, broker, memory, 1.0)
    clips.update(broker, _only(broker).id, state=State.RUNNING, frames=8)
    broker.client.flushall()
    go_round(settings, broker, memory, 2.0)
    assert (_only(broker).path, _only(broker).state, _only(broker).frames) == (str(path), State.QUEUED, 0)
    assert jobs.lengths(broker)["clips"] == 1


def test_finished_clips_are_handed_to_the_recorder(settings: Settings, broker: Broker) -> None:
    broker.client.sadd(broker.keys.completed, "c1")
    go_round(settings, broker, Memory(), 1.0)
    assert jobs.lengths(broker)["finish"] == 1


def test_while_the_broker_is_away_the_watcher_waits_and_says_so_once(
    settings: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, watcher.__name__)
    stop, outcomes = (
        threading.Event(),
        iter([RedisConnectionError("gone"), RedisConnectionError("gone"), None]),
    )

    def round_or_fail(settings: Settings, broker: Broker, memory: Memory, now_s: float) -> None:
        if (outcome := next(outcomes, stop)) is stop:
            stop.set()
        elif isinstance(outcome, Exception):
            raise outcome

    monkeypatch.setattr(watcher, "go_round", round_or_fail)
    monkeypatch.setattr(watcher, "_BACKOFF_S", (0.0,))
    pulse = Pulse()
    watch(settings, broker, stop, pulse)
    assert pulse.ready
    assert caplog.messages == ["the watcher waits: gone", "the watcher goes on"]


def _promote(settings: Settings, *names: str) -> None:
    write_promotions(settings.models, [Promotion(name=name, id=f"{name}@00000000") for name in names])


def test_after_a_promotion_a_clip_is_another_run(settings: Settings, broker: Broker) -> None:
    memory = Memory()
    for number, names in enumerate(((), ("a",), ("a", "b"), ("a",))):
        _promote(settings, *names)
        _drop(settings, f"{number}.mp4")
        go_round(settings, broker, memory, float(number))
        for clip in clips.recent(broker):
            if clip.state is State.QUEUED:
                _end(settings, broker, clip)
    ended = [(clip.name, clip.model) for clip in clips.recent(broker)]
    assert sorted(ended) == [("0.mp4", "nano"), ("1.mp4", "a"), ("2.mp4", "b")]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_promotion_in_mid_clip_does_not_make_it_another(
    settings: Settings, broker: Broker, restarted: bool
) -> None:
    memory, path = Memory(), _drop(settings, "a.mp4")
    go_round(settings, broker, memory, 1.0)
    clips.update(broker, _only(broker).id, state=State.RUNNING)
    _promote(settings, "a")
    os.utime(path, (1, 1))
    go_round(settings, broker, Memory() if restarted else memory, 2.0)
    assert (_only(broker).model, _only(broker).state) == ("nano", State.RUNNING)


def test_a_damaged_list_of_promotions_holds_no_clip_up(settings: Settings, broker: Broker) -> None:
    settings.models.mkdir(parents=True)
    (settings.models / "active.json").write_text("{")
    _drop(settings, "a.mp4")
    go_round(settings, broker, Memory(), 1.0)
    assert _only(broker).model == "active"
