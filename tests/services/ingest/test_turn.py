"""Turns at ingest: how long one lasts, and that a clip whose turn ended goes on as if nothing had been."""

from functools import partial
from itertools import count
from pathlib import Path

import msgspec
import pytest

from services.ingest import job
from services.ingest.job import ingest, ingest_clip
from services.ingest.turn import Turn
from shared.messages import Face, Frame, decode
from shared.queues import clips, jobs, produce, results, turns, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip
from shared.queues.tasks import Task
from shared.queues.work import Stage
from shared.settings import Settings, environment_of
from tests.clips import draw, walk, write_clip
from tests.shared.queues.sharded import make_groups


def _turn(broker: Broker, clock_s: list[float]) -> Turn:
    return Turn(broker, "mine", came_s=1000, length_s=60, least_s=5, clock=lambda: clock_s[0])


def _other(broker: Broker, due_s: float) -> None:
    turns.expect(broker, "other", due_s)
    jobs.enqueue(broker, Task.INGEST, "other")


def test_a_turn_ends_for_a_clip_that_is_due_before(broker: Broker) -> None:
    clock_s = [0.0]
    turn = _turn(broker, clock_s)
    turn.catch_up()
    _other(broker, 1059)
    clock_s[0] = 4.9
    assert not turn.is_over()
    clock_s[0] = 5.0
    assert turn.is_over()


def test_a_turn_goes_on_while_nobody_is_due_before(broker: Broker) -> None:
    clock_s = [0.0]
    turn = _turn(broker, clock_s)
    turn.catch_up()
    clock_s[0] = 100.0
    assert not turn.is_over()
    _other(broker, 1061)
    clock_s[0] = 200.0
    assert not turn.is_over()
    clock_s[0] = 201.0
    assert turn.is_idle()
    turn.hand_over()
    jobs.enqueue(broker, Task.INGEST, "mine")
    assert turns.foremost(broker) == 1061


def test_a_turn_lasts_as_long_as_getting_where_the_last_one_ended(broker: Broker) -> None:
    clock_s = [0.0]
    turn = _turn(broker, clock_s)
    _other(broker, 1)
    clock_s[0] = 40.0
    turn.catch_up()
    clock_s[0] = 79.0
    assert not turn.is_over()
    clock_s[0] = 80.0
    assert turn.is_over()


def _ordered(settings: Settings, broker: Broker, path: Path, clip_id: str) -> None:
    results_folder = str(settings.results)
    clip = Clip(id=clip_id, name="a", path=str(path), results=results_folder, model="m", keep_source=True)
    assert clips.create(broker, clip)


def _rows(broker: Broker, clip_id: str) -> tuple[list[Frame], list[Face]]:
    faces = [decode(Face, entry.data) for entry in work.take(broker, Stage.FACES, "w", 1000, 1)]
    plain = [msgspec.structs.replace(one, place=msgspec.structs.replace(one.place, clip="")) for one in faces]
    return results.frames(broker, clip_id)[0], plain


def test_a_clip_in_many_turns_has_the_rows_of_one_in_one(
    settings: Settings, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_groups(broker)
    settings = settings.model_copy(update={"commit_frames": 3, "explain_every_s": 0.2, "turn_s": 0.0})
    guest = [(120.0, 60.0, 50.0)]
    film = write_clip(tmp_path / "a.mp4", [draw((50 + n, 60, 56), *guest * (n % 4 != 3)) for n in range(20)])
    _ordered(settings, broker, film, "whole")
    assert not ingest(settings, broker, "whole")
    expected = _rows(broker, "whole")
    _other(broker, 1)
    _ordered(settings, broker, film, "c1")
    # A clock that ticks with each look ends every turn after its first commit.
    monkeypatch.setattr(job, "Turn", partial(Turn, clock=partial(next, count(0.0))))
    positions = []
    while ingest(settings, broker, "c1"):
        positions.append(produce.position(broker, "c1").frame)
    assert positions == [3, 6, 9, 12, 15, 18]
    assert _rows(broker, "c1") == expected


def test_a_job_whose_turn_has_ended_asks_to_be_queued_again(
    settings: Settings, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"commit_frames": 2, "turn_s": 0.0})
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(job, "Turn", partial(Turn, clock=partial(next, count(0.0))))
    _ordered(settings, broker, write_clip(tmp_path / "a.mp4", walk(3)), "c1")
    _other(broker, 1)
    assert ingest_clip("c1") is jobs.AGAIN
    assert ingest_clip("c1") is None
    assert produce.position(broker, "c1").finished
