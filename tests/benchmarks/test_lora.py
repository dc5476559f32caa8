"""The benchmark of low-rank adaptation, on nano with a few tiny batches."""

from pathlib import Path

import pytest
import torch

from benchmarks.lora import Comparison, Settings, compare
from shared.errors import DataError
from tests.training.conftest import write_tree

TINY = Settings(size="nano", rank=4, batch_size=2, steps=2, rounds=2, validation=7)


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def measured(told: list[str]) -> Comparison:
    return compare(TINY, told.append)


def test_both_loops_are_measured_in_turn(measured: Comparison, told: list[str]) -> None:
    assert len(told) == 2
    for loop in (measured.reelmood, measured.plain):
        assert len(loop.step_seconds_by_round) == 2
        assert 0 < min(loop.step_seconds_by_round) <= loop.step_seconds <= max(loop.step_seconds_by_round)
        # An epoch of FER2013 in batches of two has 14,354 steps.
        assert loop.epoch_seconds_extrapolated == pytest.approx(14_354 * loop.step_seconds)
        assert 0 <= loop.accuracy_interval[0] <= loop.accuracy <= loop.accuracy_interval[1] <= 1
    fast, slow = measured.reelmood, measured.plain
    assert measured.speedup * fast.step_seconds == pytest.approx(slow.step_seconds)
    for ratio, quick, long in zip(
        measured.speedup_by_round, fast.step_seconds_by_round, slow.step_seconds_by_round, strict=True
    ):
        assert ratio * quick == pytest.approx(long)


def test_it_says_what_was_measured_and_on_what(measured: Comparison) -> None:
    # Two steps of 22·r·width at each of the widths, and what stands on the pyramid.
    pairs = 2 * 22 * 4 * (128 + 64 + 32)
    above = (384 * 256 + 256) + 2 * (256 * 256 + 256) + (256 * 7 + 7)
    assert measured.trainable == pairs + above
    assert measured.settings == TINY
    assert measured.machine.torch == torch.__version__
    assert measured.machine.threads == torch.get_num_threads()


def test_a_data_set_can_take_the_place_of_the_drawn_faces(tmp_path: Path) -> None:
    write_tree(tmp_path / "faces", train=40)
    settings = Settings(
        size="nano", rank=4, batch_size=2, steps=4, rounds=1, validation=7, data=str(tmp_path / "faces")
    )
    assert compare(settings, lambda _: None).plain.accuracy_interval[1] > 0


def test_a_data_set_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        compare(Settings(size="nano", data=str(tmp_path / "nowhere")), lambda _: None)
