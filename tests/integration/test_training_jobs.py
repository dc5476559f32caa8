"""Training runs as jobs, worked off by a real trainer: killed with `kill -9`, they go on where they were."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from services.commands.enqueue import enqueue
from shared import runs
from shared.poster import checkpoints
from shared.queues import trainings
from shared.queues.broker import Broker
from shared.queues.trainings import State, Training
from shared.settings import Settings, environment_of
from tests.integration.reelmood import COMMAND, eventually
from tests.services.trainer.pictures import draw_faces
from training.recipe import Recipe
from training.spec import RunSpec


@contextmanager
def trainer(settings: Settings, log: Path) -> Iterator[psutil.Popen]:
    """Run `reelmood trainer` until the block ends."""
    environment = {**os.environ, **environment_of(settings), "OMP_NUM_THREADS": "1"}
    with log.open("ab") as file:
        process = psutil.Popen([*COMMAND, "trainer"], env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def run_of(broker: Broker, name: str = "tiny") -> Training:
    run = trainings.get(broker, name)
    assert run is not None
    return run


def reaches(broker: Broker, epoch: int) -> None:
    """Wait until the run is within an epoch, with all before it saved."""

    def there() -> bool:
        run = run_of(broker)
        assert run.state in (State.QUEUED, State.RUNNING), run.error
        return run.epoch >= epoch - 1 and run.progress is not None and run.progress.epoch == epoch

    eventually(there, f"epoch {epoch}")


def ends(broker: Broker) -> Training:
    """Wait for the run's end, and return it."""
    eventually(lambda: run_of(broker).state not in (State.QUEUED, State.RUNNING), "the end of the run")
    return run_of(broker)


@pytest.fixture
def ordered(broker: Broker, settings: Settings, tmp_path: Path) -> Path:
    """The folder of a queued run of three short epochs."""
    data = draw_faces(tmp_path / "faces")
    recipe = Recipe(target="label", epochs=3, batch_size=4)
    enqueue(settings, RunSpec(name="tiny", data=str(data), device="cpu", recipe=recipe))
    return settings.runs / "tiny"


def check(run: Training, settings: Settings, kept: list[dict[str, float]]) -> None:
    """Check that a run was done in two starts, the second behind the epochs that the first had saved."""
    folder = settings.runs / "tiny"
    assert (run.state, run.error, run.epoch, run.starts) == (State.DONE, "", 3, 2)
    history = runs.read_history(folder)
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history[: len(kept)] == kept
    assert any("going on after epoch" in line for line in runs.tail(folder, 100))
    assert run.model == str(settings.models / "tiny")
    assert checkpoints.load("tiny", settings.models).config is not None


def test_a_killed_job_goes_on_from_its_last_epoch(
    ordered: Path, broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    with trainer(settings, tmp_path / "trainer.log") as process:
        reaches(broker, 2)
        [job] = process.children()
        job.suspend()
        kept = runs.read_history(ordered)
        job.kill()
        run = ends(broker)
    assert kept
    check(run, settings, kept)


@pytest.mark.long
def test_the_job_of_a_killed_trainer_goes_on_with_the_next_one(
    ordered: Path, broker: Broker, settings: Settings, tmp_path: Path
) -> None:
    with trainer(settings, tmp_path / "trainer.log") as process:
        reaches(broker, 2)
        process.kill()
        process.wait()
    with trainer(settings, tmp_path / "trainer.log"):
        reaches(broker, 2)
        kept = runs.read_history(ordered)[:1]
        run = ends(broker)
    check(run, settings, kept)
