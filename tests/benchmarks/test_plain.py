"""The plain loop beside Reelmood's: the same steps, but for rounding, dropout, and how often streams run."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from benchmarks.clock import Clock
from benchmarks.drawn import draw_faces
from benchmarks.plain import PlainLoop
from shared.poster import build
from shared.poster.config import Preprocessing
from training.batches import Batches
from training.distributed import Group
from training.loop import Run
from training.lora import adapt
from training.recipe import Lora, Recipe

GROUP = Group(torch.device("cpu"))
COUNTS = torch.full((7,), 1)


class Calls:
    """Counts the forward passes of a module."""

    def __init__(self, module: nn.Module) -> None:
        self.count = 0
        module.register_forward_hook(self)

    def __call__(self, *_: object) -> None:
        self.count += 1


@pytest.fixture(scope="module")
def batches() -> Batches:
    images, labels = draw_faces(6, seed=0)
    pictures = torch.from_numpy(images).permute(0, 3, 1, 2)
    return Batches(pictures, torch.eye(7)[labels], 128, Preprocessing(), batch_size=2)


@pytest.fixture
def loops(batches: Batches) -> tuple[Run, PlainLoop]:
    lora = Lora(rank=4, dropout=0)
    recipe = Recipe(epochs=1, batch_size=2, loss="poster", sam_rho=0.05, ema_decay=0, lora=lora)
    torch.manual_seed(0)
    start = build("nano", 7)
    torch.manual_seed(1)
    ours = Run(adapt(deepcopy(start), lora), recipe, batches, COUNTS, GROUP)
    torch.manual_seed(1)
    return ours, PlainLoop(start, recipe, batches, COUNTS, GROUP)


def train(loops: tuple[Run, PlainLoop]) -> tuple[Clock, Clock]:
    clocks = Clock(), Clock()
    for clock in clocks:
        clock.begin()
    torch.manual_seed(2)
    loops[0].train_epoch(clocks[0])
    torch.manual_seed(2)
    loops[1].train_epoch(1, clocks[1])
    return clocks


def test_in_single_precision_both_take_the_same_steps(
    loops: tuple[Run, PlainLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.devices.has_fast_bf16", lambda _: False)
    before = [parameter.detach().clone() for parameter in loops[0].trained]
    clocks = train(loops)
    assert clocks[0].loss == pytest.approx(clocks[1].loss, rel=1e-4)
    ours, plain = loops[0].trained, loops[1].trained
    assert len(ours) == len(plain)
    for mine, theirs in zip(ours, plain, strict=True):
        assert_close(mine, theirs, rtol=0, atol=2e-4)
    moved = [not torch.equal(mine, start) for mine, start in zip(ours, before, strict=True)]
    assert sum(moved) > len(moved) / 2


def test_the_frozen_streams_run_once_a_batch_and_in_the_plain_loop_twice(
    loops: tuple[Run, PlainLoop],
) -> None:
    ours = [Calls(loops[0].model.get_submodule(name)) for name in ("stem", "landmark.blocks")]
    plain = [Calls(loops[1].model.get_submodule(name)) for name in ("stem", "landmark.blocks")]
    train(loops)
    assert [calls.count for calls in ours] == [3, 3]
    assert [calls.count for calls in plain] == [6, 6]
