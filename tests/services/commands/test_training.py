"""`reelmood train` and `evaluate`, on a data set of a few made pictures."""

import json
from pathlib import Path

from shared.emotions import EMOTIONS
from shared.poster import load
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood
from tests.training.conftest import write_tree


def test_a_trained_model_is_in_the_registry_and_can_be_measured(
    tmp_path: Path, settings: Settings, reelmood: Reelmood
) -> None:
    data = write_tree(tmp_path / "data")
    trained = reelmood("train", "--data", data, "--name", "mine", "--epochs", "1", "--batch-size", "8")
    assert trained.code == 0, trained.err
    assert load("mine", settings.models).id != load("nano", settings.models).id
    measured = reelmood("evaluate", "--data", data, "--model", "mine", "--json", "--out", tmp_path / "report")
    report = json.loads(measured.out)
    assert report["model"] == "mine"
    assert report["scores"]["label"]["count"] == 2 * len(EMOTIONS)
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == report
    again = reelmood("train", "--data", data, "--name", "mine")
    assert (again.code, again.err.count("\n")) == (2, 1)


def test_a_wrong_data_set_is_named_before_anything_is_trained(tmp_path: Path, reelmood: Reelmood) -> None:
    answer = reelmood("train", "--data", tmp_path, "--name", "mine")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert str(tmp_path) in answer.err
