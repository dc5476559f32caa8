import json
from pathlib import Path

from services.dashboard.training_charts import COLOURS, curves, figures_of
from services.dashboard.training_view import Run

A = Run(
    "a",
    Path(),
    epochs=5,
    history=[{"epoch": 1.0, "loss": 2.0, "label_accuracy": 0.4}, {"epoch": 2.0, "label_accuracy": 0.61234}],
)
B = Run("b", Path(), epochs=3, history=[{"epoch": 1.0, "majority_accuracy": 0.5, "seconds": 3.0}])


def test_what_can_be_drawn_is_what_some_run_has() -> None:
    assert figures_of([A]) == ["label_accuracy", "loss"]
    assert figures_of([A, B]) == ["label_accuracy", "majority_accuracy", "loss"]
    assert figures_of([]) == []


def test_each_run_is_a_curve_over_its_epochs_in_per_cent() -> None:
    option = curves([A, B], "label_accuracy")
    assert [one["name"] for one in option["series"]] == ["a", "b"]
    assert [one["data"] for one in option["series"]] == [[[1, 40.0], [2, 61.23]], []]
    assert option["color"] == list(COLOURS)
    assert (option["xAxis"]["min"], option["xAxis"]["max"]) == (1, 5)
    assert option["yAxis"]["axisLabel"]["formatter"] == "{value} %"


def test_a_loss_is_no_share() -> None:
    option = curves([A], "loss")
    assert option["series"][0]["data"] == [[1, 2.0]]
    assert option["yAxis"]["axisLabel"]["formatter"] == "{value}"


def test_is_json_and_names_nothing_outside_the_page() -> None:
    assert "http" not in json.dumps(curves([A, B], "loss"))
