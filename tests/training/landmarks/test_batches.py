import torch

from training.landmarks.batches import Batches
from training.landmarks.spec import LandmarkSpec
from training.recipe import Augmentation

STILL = Augmentation(flip=0, degrees=0, scale=0, shift=0, contrast=0, brightness=0, blur=0, sharpen=0)
CPU = torch.device("cpu")


def batches(augmentation: Augmentation, seed: int = 0) -> Batches:
    generator = torch.Generator().manual_seed(0)
    images = torch.arange(1, 8, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 48, 48) * 30
    points = torch.rand(7, 68, 2, generator=generator)
    spec = LandmarkSpec(data="", batch_size=3, seed=seed, augmentation=augmentation)
    return Batches(images, points, spec, CPU)


def test_pictures_are_normalised_and_keep_their_points() -> None:
    given = batches(STILL)
    drawn = list(given.shuffled(epoch=0))
    assert (len(drawn), given.steps) == (2, 2)
    rows = []
    for images, points in drawn:
        assert images.shape == (3, 3, 112, 112)
        red, green, blue = images[:, :, 56, 56].T
        # Back to bytes, with ImageNet's figures.
        shades = (red * 0.229 + 0.485) * 255
        torch.testing.assert_close((blue * 0.225 + 0.406) * 255, shades)
        torch.testing.assert_close((green * 0.224 + 0.456) * 255, shades)
        own = (shades / 30).round().long() - 1
        torch.testing.assert_close(points, given.points[own])
        rows += own.tolist()
    assert len(set(rows)) == 6


def test_an_epoch_depends_on_its_number_and_the_seed_alone() -> None:
    moving = Augmentation(erase=0)
    (first, points), _ = batches(moving).shuffled(epoch=3)
    (again, same), _ = batches(moving).shuffled(epoch=3)
    assert torch.equal(first, again)
    assert torch.equal(points, same)
    assert not torch.equal(first, next(batches(moving).shuffled(epoch=4))[0])
    assert not torch.equal(first, next(batches(moving, seed=1).shuffled(epoch=3))[0])
