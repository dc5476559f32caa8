"""Whose turn it is: the clip's that is due first."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from shared.queues import clips, jobs, produce, turns, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip
from shared.queues.tasks import Task, queue_of
from shared.queues.work import Outcome, Stage
from shared.settings import Settings, environment_of
from tests.clips import draw, walk, write_clip
from tests.shared.queues.sharded import make_groups
from tests.shared.queues.test_jobs import RUNNER


def _waiting(broker: Broker) -> list[str]:
    return [job.removeprefix("test-clips-") for job in queue_of(broker, Task.INGEST).job_ids]


def test_the_clip_that_is_due_first_comes_first(broker: Broker) -> None:
    assert turns.foremost(broker) is None
    for clip_id, due_s in (("film", 9000.5), ("short", 1003.25), ("episode", 4000.0)):
        turns.expect(broker, clip_id, due_s)
        jobs.enqueue(broker, Task.INGEST, clip_id)
    assert turns.foremost(broker) == 1003.25
    assert _waiting(broker) == ["short", "film", "episode"]
    turns.expect(broker, "short", 5000.0)
    assert turns.foremost(broker) == 4000.0
    assert _waiting(broker) == ["episode", "short", "film"]


def test_one_of_which_nothing_is_known_goes_before_all(broker: Broker) -> None:
    turns.expect(broker, "a", 1.0)
    for clip_id in ("a", "b"):
        jobs.enqueue(broker, Task.INGEST, clip_id)
    assert turns.foremost(broker) == 0
    assert _waiting(broker) == ["b", "a"]


def test_what_is_known_of_clips_that_are_through_does_not_pile_up(broker: Broker) -> None:
    for number in range(1100):
        turns.expect(broker, f"{number}", float(number))
    for clip_id in ("5", "7"):
        jobs.enqueue(broker, Task.INGEST, clip_id)
    assert turns.foremost(broker) == 5
    turns.forget(broker, "7")
    assert turns.foremost(broker) == 0
    script = "return redis.call('ZCARD', KEYS[1])"
    assert broker.client.eval(script, 1, broker.keys.due) == 1


def test_a_clip_is_as_long_as_its_frames_or_about_as_its_file(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(bytes(250_000))
    assert turns.length_s(500, file) == 20
    assert turns.length_s(0, file) == 2
    assert turns.length_s(0, tmp_path / "gone.mp4") == 0


def _ordered(broker: Broker, path: Path) -> None:
    clip = Clip(id=path.stem, name=path.name, path=str(path), results="/r", model="m", keep_source=True)
    assert clips.create(broker, clip)
    jobs.enqueue(broker, Task.INGEST, clip.id)


def _until_at(broker: Broker, clip_id: str, frame: int, *, finished: bool) -> None:
    pause = threading.Event()
    while (at := produce.position(broker, clip_id)).frame < frame or at.finished != finished:
        pause.wait(0.02)


def _read_until_at(broker: Broker, clip_id: str, frame: int) -> None:
    while produce.position(broker, clip_id).frame < frame:
        entries = work.take(broker, Stage.FACES, "w", 64, 100)
        work.commit(broker, Stage.FACES, [Outcome(entry) for entry in entries])


def test_a_clip_that_waits_for_room_lets_a_short_one_pass(
    settings: Settings, broker: Broker, tmp_path: Path
) -> None:
    make_groups(broker)
    long = write_clip(tmp_path / "long.mp4", [draw((50 + n % 9, 60, 56)) for n in range(260)])
    short = write_clip(tmp_path / "short.mp4", walk(3))
    limits = settings.model_copy(update={"high_water": 130, "low_water": 130, "turn_s": 0.0})
    environment = {**os.environ, **environment_of(limits)}
    runner = subprocess.Popen([sys.executable, "-c", RUNNER], env=environment)
    try:
        _ordered(broker, long)
        # It waits behind 136 faces of its lane, the second; the short one goes to the first.
        _until_at(broker, "long", 136, finished=False)
        _ordered(broker, short)
        _until_at(broker, "short", 3, finished=True)
        assert produce.position(broker, "long").frame == 136
        _read_until_at(broker, "long", 260)
    finally:
        runner.terminate()
        runner.wait()
    assert jobs.take_failed(broker) == []
    clip = clips.get(broker, "long")
    assert clip is not None
    assert (clip.frames, clip.faces) == (260, 260)
