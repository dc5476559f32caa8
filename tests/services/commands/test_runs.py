"""`reelmood train --enqueue` and `reelmood runs`."""

import json
from pathlib import Path

import pytest

from shared import runs
from shared.queues import jobs, trainings
from shared.queues.broker import Broker
from shared.queues.tasks import Task
from shared.queues.trainings import Progress, State
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood

ROW = {"epoch": 2.0, "loss": 1.5, "label_accuracy": 0.5, "majority_accuracy": 0.75}


def begin(broker: Broker, name: str = "mine") -> None:
    """Take a run off its queue, as a trainer does."""
    jobs.drop(broker, Task.TRAIN, name)
    assert trainings.begin(broker, name) is not None


def test_a_run_is_queued_with_absolute_paths(
    broker: Broker, reelmood: Reelmood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").mkdir()
    answer = reelmood(
        *("train", "--enqueue", "--name", "mine", "--data", "faces", "--votes", "votes.csv"),
        *("--init", "base", "--preset", "balanced", "--epochs", 4),
    )
    assert answer.code == 0, answer.err
    assert "mine is queued" in answer.out
    [run] = trainings.recent(broker)
    spec = json.loads(run.spec)
    assert (run.name, run.epochs, run.state) == ("mine", 4, State.QUEUED)
    assert (spec["data"], spec["votes"]) == (str(tmp_path / "faces"), str(tmp_path / "votes.csv"))
    assert spec["init"] == str(tmp_path / "base")
    assert (spec["recipe"]["epochs"], spec["recipe"]["sampling"]) == (4, "balanced")
    again = reelmood("train", "--enqueue", "--name", "mine", "--data", "faces")
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "a run mine is queued already" in again.err


def test_a_name_that_a_model_has_is_not_queued(
    broker: Broker, reelmood: Reelmood, settings: Settings
) -> None:
    (settings.models / "mine").mkdir(parents=True)
    answer = reelmood("train", "--enqueue", "--name", "mine", "--data", "faces")
    assert answer.code == 2
    assert "a model mine exists already" in answer.err
    assert trainings.recent(broker) == []


def test_runs_are_listed_stopped_and_resumed(broker: Broker, reelmood: Reelmood) -> None:
    assert "no run has been queued" in reelmood("runs", "list").out
    trainings.order(broker, "mine", b"{}", 6)
    begin(broker)
    trainings.finish_epoch(broker, "mine", ROW)
    trainings.tell(broker, "mine", Progress(epoch=3, epochs=6, step=4, steps=9, loss=1.25, left_s=600.0))
    for command in (["runs", "list"], ["status"]):
        table = reelmood(*command).out
        assert all(text in table for text in ("mine", "running", "3/6", "4/9", "1.250", "75.0 %", "10 min"))
    assert "stops at its next step" in reelmood("runs", "stop", "mine").out
    assert "stopping" in reelmood("runs", "list").out
    trainings.end(broker, "mine", State.STOPPED)
    assert reelmood("runs", "stop", "mine").code == 2
    assert "mine is queued" in reelmood("runs", "resume", "mine").out
    assert "mine is stopped" in reelmood("runs", "stop", "mine").out


def test_runs_are_told_to_scripts(broker: Broker, reelmood: Reelmood) -> None:
    trainings.order(broker, "mine", b"{}", 6)
    begin(broker)
    trainings.end(broker, "mine", State.FAILED, error="no pictures of fear")
    for told in (
        json.loads(reelmood("runs", "list", "--json").out),
        json.loads(reelmood("status", "--json").out)["runs"],
    ):
        assert [(run["name"], run["state"], run["error"]) for run in told] == [
            ("mine", "failed", "no pictures of fear")
        ]


def test_a_log_is_shown_to_its_end(broker: Broker, reelmood: Reelmood, settings: Settings) -> None:
    folder = settings.runs / "mine"
    folder.mkdir(parents=True)
    (folder / runs.LOG_FILE).write_text("one\ntwo\nthree\n")
    trainings.order(broker, "mine", b"{}", 6)
    trainings.stop(broker, "mine")
    assert reelmood("runs", "log", "mine", "--lines", 2).out == "two\nthree\n"
    assert reelmood("runs", "log", "mine", "--follow").out == "one\ntwo\nthree\n"


@pytest.mark.parametrize("name", ["unknown", "../mine", "/etc/passwd"])
def test_a_log_that_is_not_there_is_one_line(name: str, broker: Broker, reelmood: Reelmood) -> None:
    answer = reelmood("runs", "log", name)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    for command in ("stop", "resume"):
        assert reelmood("runs", command, name).code == 2
