"""What the page has the command line do."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from services.dashboard import reelmood
from services.dashboard.reelmood import Order
from shared.errors import ReelmoodError
from shared.queues import trainings
from shared.queues.broker import Broker
from shared.settings import Settings
from training.presets import PRESETS
from training.spec import DatasetName, RunSpec

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
        "--init=nano",
        "--preset=balanced",
        "--epochs=4",
        f"--data={Path.home() / 'faces'}",
        "--votes=v.csv",
    ]
    mixed = replace(ORDER, data="d", add_corrections=True, limit=500)
    assert reelmood.arguments(mixed)[-3:] == ["--data=d", "--limit=500", "--add-corrections"]


def test_the_corrections_lie_where_the_home_is(broker: Broker, settings: Settings) -> None:
    reelmood.train(settings, replace(ORDER, dataset="corrections", data=""))
    [run] = trainings.recent(broker)
    spec = msgspec.json.decode(run.spec, type=RunSpec)
    assert (spec.dataset, spec.data, spec.corrections) == ("corrections", str(settings.corrections), None)


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
