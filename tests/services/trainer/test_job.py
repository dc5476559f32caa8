"""A run's job: from what was ordered to what the broker, the log and the registry then say."""

import logging
from pathlib import Path

import msgspec
import pytest

from services.trainer import job
from shared import runs
from shared.queues import jobs, trainings
from shared.queues.broker import Broker
from shared.queues.tasks import Task
from shared.queues.trainings import State, Training
from shared.settings import Settings
from training.observer import Observer, Position
from training.recipe import Recipe
from training.spec import RunSpec


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    return RunSpec(name="mine", data=str(tmp_path / "no-faces"), device="cpu", recipe=Recipe(target="label"))


def order(broker: Broker, spec: RunSpec, name: str = "mine") -> None:
    """Order a run and take it off its queue, as a trainer does."""
    trainings.order(broker, name, msgspec.json.encode(spec), spec.recipe.epochs)
    jobs.drop(broker, Task.TRAIN, name)


def ended(settings: Settings, broker: Broker, name: str = "mine") -> Training:
    """Do the run's job and return how the run stands then."""
    job.work(settings, broker, name)
    run = trainings.get(broker, name)
    assert run is not None
    return run


def test_the_model_of_a_finished_run_is_in_the_registry(
    broker: Broker, settings: Settings, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(
        asked: RunSpec, out: Path, *, models: Path | None, cache: Path | None, observe: Observer
    ) -> Path:
        assert (asked, out, models) == (spec, settings.runs / "mine", settings.models)
        observe.step(Position(1, 6, 1, 2, 1.5))
        observe.epoch({"epoch": 1, "loss": 1.5})
        (out / "mine").mkdir()
        (out / "mine" / "config.json").write_text("{}")
        return out / "mine"

    monkeypatch.setattr(job, "train", train)
    order(broker, spec)
    run = ended(settings, broker)
    assert (run.state, run.error, run.epoch, run.starts) == (State.DONE, "", 1, 1)
    assert run.model == str(settings.models / "mine")
    assert (settings.models / "mine" / "config.json").read_text() == "{}"


def test_a_run_that_was_killed_at_its_very_end_is_shared_and_not_trained_again(
    broker: Broker, settings: Settings, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared: list[str] = []
    monkeypatch.setattr("shared.storage.models.share", lambda _, name: shared.append(name))
    order(broker, spec)
    finished = settings.runs / "mine" / "mine"
    finished.mkdir(parents=True)
    assert trainings.begin(broker, "mine") is not None
    assert ended(settings, broker).state is State.DONE
    assert (settings.models / "mine").is_dir()
    order(broker, spec, "mine")
    assert trainings.begin(broker, "mine") is not None
    assert ended(settings, broker).state is State.DONE
    assert shared == ["mine", "mine"]


def test_a_stopped_run_says_so_in_its_log_too(
    broker: Broker,
    settings: Settings,
    spec: RunSpec,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    def train(_spec: RunSpec, _out: Path, *, observe: Observer, **_: object) -> Path:
        trainings.stop(broker, "mine")
        observe.step(Position(2, 6, 1, 2, 1.5))
        pytest.fail("it goes on")

    monkeypatch.setattr(job, "train", train)
    order(broker, spec)
    run = ended(settings, broker)
    assert (run.state, run.error, run.stopping) == (State.STOPPED, "", False)
    assert runs.tail(settings.runs / "mine", 1)[0].endswith("run mine was stopped in epoch 2")


def test_wrong_data_fail_the_run_with_their_reason(broker: Broker, settings: Settings, spec: RunSpec) -> None:
    order(broker, spec)
    run = ended(settings, broker)
    assert run.state is State.FAILED
    assert spec.data in run.error
    assert "\n" not in run.error
    assert runs.tail(settings.runs / "mine", 1)[0].endswith(run.error)
    assert not (settings.models / "mine").exists()


def test_an_error_of_its_own_fails_the_run_in_one_line_and_is_traced_in_the_log(
    broker: Broker, settings: Settings, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: object, **__: object) -> Path:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(job, "train", train)
    order(broker, spec)
    assert ended(settings, broker).error == "RuntimeError: two"
    assert any("Traceback" in line for line in runs.tail(settings.runs / "mine", 50))


@pytest.mark.parametrize(
    ("ordered", "reason"),
    [
        (b"[]", "the order of run mine cannot be read"),
        (b"[" * 5000, "the order of run mine cannot be read"),
        (b'{"name": "../up", "data": "/"}', "the order of run mine cannot be read"),
        (b'{"name": "other", "data": "/"}', "run mine was ordered as other"),
    ],
)
def test_a_forged_order_is_refused(ordered: bytes, reason: str, broker: Broker, settings: Settings) -> None:
    trainings.order(broker, "mine", ordered, 1)
    jobs.drop(broker, Task.TRAIN, "mine")
    run = ended(settings, broker)
    assert run.state is State.FAILED
    assert run.error.startswith(reason)


def test_a_name_that_is_a_path_makes_no_folder(broker: Broker, settings: Settings) -> None:
    trainings.order(broker, "../up", b"{}", 1)
    jobs.drop(broker, Task.TRAIN, "../up")
    job.work(settings, broker, "../up")
    assert not (settings.home / "up").exists()


def test_a_run_that_has_ended_or_is_unknown_is_left_alone(
    broker: Broker, settings: Settings, spec: RunSpec
) -> None:
    order(broker, spec)
    trainings.end(broker, "mine", State.DONE)
    assert ended(settings, broker).starts == 0
    job.work(settings, broker, "unknown")
    assert not settings.runs.exists()
