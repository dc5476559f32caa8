from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor

from shared.faces.preprocessing import preprocess
from tests.training.tiny import PREPROCESSING
from training.batches import Batches
from training.distributed import Group
from training.recipe import Recipe

RECIPE = Recipe()
ALONE = Group(torch.device("cpu"))


def batches(count: int = 10, batch_size: int = 4, channels: int = 1) -> Batches:
    images = torch.randint(0, 256, (count, channels, 48, 48), dtype=torch.uint8)
    return Batches(images, torch.eye(count), 32, PREPROCESSING, batch_size)


def drawn(
    data: Batches, epoch: int = 1, group: Group = ALONE, **changes: Any
) -> Iterator[tuple[Tensor, Tensor]]:
    return data.drawn(msgspec.structs.replace(RECIPE, **changes), epoch, group)


def test_an_epoch_gives_full_batches_of_different_pictures() -> None:
    draws = list(drawn(batches()))
    assert [images.shape for images, _ in draws] == [(4, 3, 32, 32)] * 2
    seen = torch.cat([targets.argmax(1) for _, targets in draws]).tolist()
    assert len(set(seen)) == 8
    assert seen != sorted(seen)


def test_a_batch_is_smaller_when_there_is_too_little() -> None:
    few = batches(count=3)
    assert few.steps(ALONE) == 1
    assert [len(images) for images, _ in drawn(few)] == [3]


@pytest.mark.parametrize("other", [{"epoch": 2}, {"seed": 1}, {"seed": 1 << 32}])
def test_a_draw_depends_on_seed_and_epoch_alone(other: dict[str, Any]) -> None:
    data = batches()
    first, again = (next(drawn(data)) for _ in range(2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], next(drawn(data, **other))[0])


def test_processes_share_a_step_of_the_same_order() -> None:
    data = batches(count=17, batch_size=4)
    whole = Batches(data.images, data.targets, 32, PREPROCESSING, 8)
    expected = [targets.argmax(1).tolist() for _, targets in drawn(whole)]
    parts = [
        [targets.argmax(1).tolist() for _, targets in drawn(data, group=Group(ALONE.device, rank, 2))]
        for rank in (0, 1)
    ]
    assert [len(part) for part in parts[0] + parts[1]] == [4] * 4
    assert [sorted(a + b) for a, b in zip(*parts, strict=True)] == [sorted(step) for step in expected]


def test_processes_augment_each_in_its_own_way() -> None:
    same = Batches(torch.full((8, 1, 48, 48), 100, dtype=torch.uint8), torch.eye(8), 32, PREPROCESSING, 4)
    first, second = (next(drawn(same, group=Group(ALONE.device, rank, 2)))[0] for rank in (0, 1))
    assert not torch.equal(first, second)


def test_sampling_and_mixup_are_those_of_the_recipe() -> None:
    targets = torch.eye(2)[[0] * 36 + [1] * 4]
    data = Batches(torch.zeros(40, 1, 48, 48, dtype=torch.uint8), targets, 32, PREPROCESSING, 40)
    ((_, balanced),) = drawn(data, sampling="balanced")
    assert 10 < balanced[:, 1].sum() < 30
    ((_, mixed),) = drawn(data, mixup=1.0)
    assert ((mixed > 0) & (mixed < 1)).any()
    torch.testing.assert_close(mixed.sum(1), torch.ones(40))


def test_in_order_shows_what_the_worker_would_show() -> None:
    data = batches()
    draws = list(data.in_order())
    assert [len(images) for images, _ in draws] == [4, 4, 2]
    assert torch.equal(torch.cat([targets for _, targets in draws]), torch.eye(10))
    faces = data.images.permute(0, 2, 3, 1).repeat(1, 1, 1, 3).numpy()
    shown = torch.cat([images for images, _ in draws]).numpy()
    np.testing.assert_array_equal(shown, preprocess(faces, PREPROCESSING, 32))
