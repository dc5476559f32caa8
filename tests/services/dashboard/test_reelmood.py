"""What the page has the command line do."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from services.dashboard import reelmood
from services.dashboard.reelmood import Order
from shared.errors import ReelmoodError
from shared.queues import trainings
from shared.queues.broker import Broker
from shared.settings import Settings
from training.presets import PRESETS
from training.spec import DatasetName

ORDER = Order(" mine ", "rafdb", " ~/faces ", "", "nano", "balanced", 4)


def test_the_form_offers_what_can_be_trained() -> None:
    assert get_args(DatasetName) == reelmood.DATASETS
    assert tuple(PRESETS) == reelmood.PRESETS


def test_values_are_bound_to_their_options() -> None:
    assert reelmood.arguments(replace(ORDER, name="--help", votes=" v.csv ")) == [
        "train",
        "--enqueue",
        "--name=--help",
        "--dataset=rafdb",
        f"--data={Path.home() / 'faces'}",
        "--init=nano",
        "--preset=balanced",
        "--epochs=4",
        "--votes=v.csv",
    ]


def test_a_run_is_queued_and_a_second_one_of_its_name_refused(broker: Broker, settings: Settings) -> None:
    assert "mine is queued" in reelmood.train(settings, ORDER)
    [run] = trainings.recent(broker)
    assert (run.name, run.epochs) == ("mine", 4)
    with pytest.raises(ReelmoodError, match=r"^a run mine is queued already"):
        reelmood.train(settings, ORDER)


@pytest.mark.parametrize(
    "order", [replace(ORDER, data=" "), replace(ORDER, name="../up"), replace(ORDER, name="a\0b")]
)
def test_what_makes_no_sense_is_refused_in_one_line(order: Order, broker: Broker, settings: Settings) -> None:
    with pytest.raises(ReelmoodError) as refused:
        reelmood.train(settings, order)
    assert "\n" not in str(refused.value)
    assert trainings.recent(broker) == []
