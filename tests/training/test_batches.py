import numpy as np
import pytest
import torch

from shared.faces.preprocessing import preprocess
from tests.training.tiny import PREPROCESSING
from training.batches import Batches
from training.recipe import Augmentation


def batches(count: int = 10, batch_size: int = 4) -> Batches:
    images = torch.randint(0, 256, (count, 1, 48, 48), dtype=torch.uint8)
    return Batches(images, torch.arange(count), 32, PREPROCESSING, batch_size)


def test_an_epoch_gives_full_batches_of_different_pictures() -> None:
    draws = list(batches().shuffled(Augmentation(), seed=0, epoch=0))
    assert [images.shape for images, _ in draws] == [(4, 3, 32, 32)] * 2
    seen = torch.cat([targets for _, targets in draws]).tolist()
    assert len(set(seen)) == 8
    assert seen != sorted(seen)


def test_a_batch_is_smaller_when_there_is_too_little() -> None:
    few = batches(count=3)
    assert few.steps == 1
    assert [len(images) for images, _ in few.shuffled(Augmentation(), 0, 0)] == [3]


@pytest.mark.parametrize("other", [(0, 1), (1, 0)])
def test_a_draw_depends_on_seed_and_epoch_alone(other: tuple[int, int]) -> None:
    data = batches()
    first, again = (next(data.shuffled(Augmentation(), 0, 0)) for _ in range(2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], next(data.shuffled(Augmentation(), *other))[0])


def test_augmented_pictures_are_normalised_per_channel() -> None:
    data = batches()
    images, _ = next(data.shuffled(Augmentation(), 0, 0))
    mean = torch.tensor(PREPROCESSING.mean)[:, None, None]
    std = torch.tensor(PREPROCESSING.std)[:, None, None]
    pixels = images * std + mean
    torch.testing.assert_close(pixels[:, 0], pixels[:, 2])
    assert pixels.min() > -1e-6
    assert pixels.max() < 1 + 1e-6


def test_in_order_shows_what_the_worker_would_show() -> None:
    data = batches()
    draws = list(data.in_order())
    assert [len(images) for images, _ in draws] == [4, 4, 2]
    assert torch.cat([targets for _, targets in draws]).tolist() == list(range(10))
    faces = data.images.permute(0, 2, 3, 1).repeat(1, 1, 1, 3).numpy()
    shown = torch.cat([images for images, _ in draws]).numpy()
    np.testing.assert_array_equal(shown, preprocess(faces, PREPROCESSING, 32))
