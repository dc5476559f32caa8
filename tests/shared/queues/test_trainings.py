"""Training runs on the broker: ordered, begun, told of, stopped, resumed, and what a crash leaves."""

from typing import cast

import msgspec
import pytest
from redis.client import Pipeline
from rq.job import JobStatus

from shared.errors import DataError
from shared.queues import jobs, trainings
from shared.queues.broker import Broker
from shared.queues.tasks import Task, fetch
from shared.queues.trainings import Progress, State

ROW = {"epoch": 2.0, "loss": 1.5, "label_accuracy": 0.5}
PROGRESS = Progress(epoch=3, epochs=6, step=4, steps=9, loss=1.25, left_s=60.0)


def order(broker: Broker, name: str = "mine") -> None:
    trainings.order(broker, name, b'{"name":"mine"}', 6)


def take(broker: Broker, name: str = "mine") -> None:
    """Take a run off its queue, as a trainer does that begins it."""
    jobs.drop(broker, Task.TRAIN, name)
    assert trainings.begin(broker, name) is not None


def state(broker: Broker, name: str = "mine") -> State:
    run = trainings.get(broker, name)
    assert run is not None
    return run.state


def crash(broker: Broker, name: str = "mine") -> None:
    """Have a run's job crash as RQ notes it, without retries left."""
    jobs.enqueue(broker, Task.TRAIN, name)
    job = fetch(broker, f"test-training-{name}")
    noted = "Work-horse terminated unexpectedly; waitpid returned 9 (signal 9); "
    jobs.drop(broker, Task.TRAIN, name)
    job.save()
    job.set_status(JobStatus.FAILED)
    with broker.client.pipeline() as pipeline:
        job._handle_failure(noted, cast("Pipeline", pipeline), worker_name="w")
        pipeline.execute()


def test_a_run_is_queued_once_and_keeps_its_order(broker: Broker) -> None:
    order(broker)
    with pytest.raises(DataError, match="mine is queued already"):
        order(broker)
    assert jobs.lengths(broker)["training"] == 1
    [run] = trainings.recent(broker)
    assert (run.name, run.spec, run.epochs, run.state) == ("mine", '{"name":"mine"}', 6, State.QUEUED)


def test_a_run_under_way_shows_how_far_it_is(broker: Broker) -> None:
    order(broker)
    take(broker)
    assert trainings.tell(broker, "mine", PROGRESS) is False
    trainings.finish_epoch(broker, "mine", ROW)
    [run] = trainings.recent(broker)
    assert (run.state, run.progress, run.epoch, run.figures) == (State.RUNNING, PROGRESS, 2, ROW)
    assert run.started_s >= run.created_s > 0
    trainings.end(broker, "mine", State.DONE, model="/models/mine")
    [run] = trainings.recent(broker)
    assert (run.state, run.progress, run.epoch, run.model) == (State.DONE, None, 2, "/models/mine")


def test_how_far_a_run_is_does_not_outlive_it(broker: Broker) -> None:
    order(broker)
    take(broker)
    trainings.tell(broker, "mine", PROGRESS)
    assert 0 < broker.client.eval("return redis.call('TTL', KEYS[1])", 1, broker.keys.training("mine")) <= 30


def test_a_run_that_waits_stops_at_once_and_can_be_resumed(broker: Broker) -> None:
    order(broker)
    assert trainings.stop(broker, "mine") is State.STOPPED
    assert jobs.lengths(broker)["training"] == 0
    assert trainings.begin(broker, "mine") is None
    with pytest.raises(DataError, match="stopped already"):
        trainings.stop(broker, "mine")
    trainings.resume(broker, "mine")
    assert (state(broker), jobs.lengths(broker)["training"]) == (State.QUEUED, 1)
    take(broker)
    assert trainings.tell(broker, "mine", PROGRESS) is False


def test_a_run_under_way_hears_that_it_is_to_stop(broker: Broker) -> None:
    order(broker)
    take(broker)
    assert trainings.stop(broker, "mine") is State.RUNNING
    assert trainings.tell(broker, "mine", PROGRESS) is True
    [run] = trainings.recent(broker)
    assert run.stopping


def test_a_run_that_was_to_stop_when_its_trainer_died_is_not_begun_again(broker: Broker) -> None:
    order(broker)
    take(broker)
    trainings.stop(broker, "mine")
    assert trainings.begin(broker, "mine") is None
    assert state(broker) is State.STOPPED


def test_a_run_that_crashed_for_good_has_its_reason_and_can_be_resumed(broker: Broker) -> None:
    order(broker)
    take(broker)
    trainings.finish_epoch(broker, "mine", ROW)
    crash(broker)
    run = trainings.get(broker, "mine")
    assert run is not None
    assert (run.state, run.epoch) == (State.FAILED, 2)
    assert run.error == "it crashed again and again: its process was ended by SIGKILL"
    trainings.resume(broker, "mine")
    assert state(broker) is State.QUEUED


def test_an_epoch_gives_a_crashing_run_its_five_attempts_back(broker: Broker) -> None:
    order(broker)
    assert trainings.begin(broker, "mine") is not None
    job = fetch(broker, "test-training-mine")
    assert job.retries_left == 5
    job.retries_left = 1
    job.save()
    trainings.finish_epoch(broker, "mine", ROW)
    assert fetch(broker, "test-training-mine").retries_left == 5


def test_a_run_that_lost_its_job_can_be_resumed(broker: Broker) -> None:
    order(broker)
    take(broker)
    trainings.resume(broker, "mine")
    assert jobs.lengths(broker)["training"] == 1
    with pytest.raises(DataError, match="queued already"):
        trainings.resume(broker, "mine")


def test_a_run_that_is_done_or_unknown_is_not_resumed_or_stopped(broker: Broker) -> None:
    order(broker)
    take(broker)
    trainings.end(broker, "mine", State.DONE)
    with pytest.raises(DataError, match="is done"):
        trainings.resume(broker, "mine")
    with pytest.raises(DataError, match="done already"):
        trainings.stop(broker, "mine")
    with pytest.raises(DataError, match="no run is called other"):
        trainings.stop(broker, "other")


def test_the_oldest_ended_runs_are_forgotten(broker: Broker) -> None:
    for number in range(205):
        ended = trainings.Training(name=f"r{number}", spec="", epochs=1, created_s=number, state=State.DONE)
        broker.client.hset(broker.keys.trainings, ended.name, msgspec.json.encode(ended))
    order(broker, "new")
    names = [run.name for run in trainings.recent(broker)]
    assert len(names) == 200
    assert (names[0], names[1], names[-1]) == ("new", "r204", "r6")


def test_names_that_differ_have_jobs_that_differ(broker: Broker) -> None:
    names = ["a.b", "a_b", "a__b", "a_2e_b", "a-b"]
    for name in names:
        order(broker, name)
    assert jobs.lengths(broker)["training"] == len(names)


@pytest.mark.parametrize("damaged", [b"", b"\xff", b"[1]", b'{"name": 3}', b"[" * 5000])
def test_what_cannot_be_read_is_no_run(broker: Broker, damaged: bytes) -> None:
    broker.client.hset(broker.keys.trainings, "broken", damaged)
    order(broker)
    take(broker)
    broker.client.set(broker.keys.training("mine"), damaged, ex=30)
    [run] = trainings.recent(broker)
    assert (run.name, run.progress) == ("mine", None)
    assert trainings.get(broker, "broken") is None
