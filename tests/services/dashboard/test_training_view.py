import json
from pathlib import Path

import pytest

from services.dashboard.training_view import Run, gather
from shared import runs
from shared.poster.active import ACTIVE_FILE
from shared.queues.trainings import Progress, State, Training
from shared.settings import Settings

ROWS = [
    {"epoch": 1, "loss": 2.0, "label_accuracy": 0.4, "seconds": 10},
    {"epoch": 2, "loss": 1.5, "label_accuracy": 0.6, "seconds": 20},
    {"epoch": 3, "loss": 1.4, "label_accuracy": 0.5, "seconds": 30},
]


def make_folder(settings: Settings, name: str, epochs: object = 6) -> Path:
    folder = settings.runs / name
    folder.mkdir(parents=True)
    (folder / runs.SPEC_FILE).write_text(json.dumps({"name": name, "recipe": {"epochs": epochs}}))
    (folder / runs.HISTORY_FILE).write_text(json.dumps(ROWS))
    return folder


def job(name: str, **fields: object) -> Training:
    return Training(name=name, spec='{"dataset": "rafdb"}', epochs=6, **fields)  # type: ignore[arg-type]


def test_jobs_come_before_runs_that_were_started_by_hand(settings: Settings) -> None:
    make_folder(settings, "both")
    make_folder(settings, "by-hand")
    known = gather(settings, [job("new", state=State.RUNNING), job("both", state=State.DONE)])
    assert [(run.name, run.label, run.epochs, len(run.history)) for run in known] == [
        ("new", "running", 6, 0),
        ("both", "done", 6, 3),
        ("by-hand", "by hand", 6, 3),
    ]
    assert known[1].spec == {"dataset": "rafdb"}
    assert known[2].spec["name"] == "by-hand"


@pytest.mark.parametrize("epochs", ["six", None, [6]])
def test_a_spec_that_makes_no_sense_is_a_run_of_unknown_length(epochs: object, settings: Settings) -> None:
    make_folder(settings, "odd", epochs)
    [run] = gather(settings, [Training(name="../up", spec="", epochs=1)])
    assert (run.name, run.epochs, run.fraction) == ("odd", 0, 0.0)


def test_which_models_are_registered_and_in_use_is_known(settings: Settings) -> None:
    for name in ("a", "b"):
        (settings.models / name).mkdir(parents=True)
    active = {"promotions": [{"name": "b", "id": f"b@{'0' * 8}"}]}
    (settings.models / ACTIVE_FILE).write_text(json.dumps(active))
    known = gather(settings, [job("a"), job("b"), job("c")])
    assert [(run.has_model, run.is_active) for run in known] == [(True, False), (True, True), (False, False)]
    (settings.models / ACTIVE_FILE).write_text("{")
    assert not any(run.is_active for run in gather(settings, [job("b")]))


def test_how_far_a_run_is_counts_the_steps_of_its_epoch() -> None:
    run = Run("a", Path(), epochs=6, history=ROWS)
    assert run.fraction == pytest.approx(3 / 6)
    live = Progress(epoch=4, epochs=6, step=5, steps=10, loss=1.0)
    assert Run("a", Path(), epochs=6, history=ROWS, progress=live).fraction == pytest.approx(3.5 / 6)


def test_the_best_of_a_figure_is_its_highest() -> None:
    run = Run("a", Path(), history=ROWS)
    assert run.best("label_accuracy") == 0.6
    assert run.best("majority_accuracy") is None
