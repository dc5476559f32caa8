import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shared.poster.config import Preprocessing
from training.augmentation import augment, change_light, draw_affine, erase, soften_or_sharpen, warp
from training.recipe import Augmentation

STILL = Augmentation(
    flip=0, degrees=0, scale=0, shift=0, contrast=0, brightness=0, blur=0, sharpen=0, erase=0
)
AS_IS = Preprocessing(mean=(0, 0, 0), std=(1, 1, 1))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 4, channels: int = 1) -> torch.Tensor:
    return torch.randint(0, 256, (count, channels, 48, 48), dtype=torch.uint8, generator=generator(7))


@pytest.mark.parametrize("channels", [1, 3])
def test_without_ranges_a_picture_is_only_scaled(channels: int) -> None:
    images = pictures(channels=channels)
    shown = augment(images, 96, STILL, AS_IS, generator())
    expected = torch.nn.functional.interpolate(images / 255, size=(96, 96), mode="bilinear")
    assert shown.shape == (4, 3, 96, 96)
    expected = expected.expand(-1, 3, -1, -1)
    # The outermost pixel reaches over the border, which is black.
    torch.testing.assert_close(shown[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], atol=1e-5, rtol=0)


def test_flip_is_a_mirror() -> None:
    images = pictures()
    always = augment(images, 48, msgspec.structs.replace(STILL, flip=1.0), AS_IS, generator())
    mirrored = (images.flip(3) / 255).expand(-1, 3, -1, -1)
    torch.testing.assert_close(always, mirrored, atol=1e-4, rtol=0)


def test_pictures_are_normalised_per_channel() -> None:
    how = Preprocessing(mean=(0.5, 0.4, 0.3), std=(0.5, 0.5, 0.25))
    shown = augment(torch.full((2, 1, 48, 48), 255, dtype=torch.uint8), 48, STILL, how, generator())
    assert shown[1, :, 24, 24].tolist() == pytest.approx([1, 1.2, 2.8], rel=1e-4)


def test_lighting_shifts_the_colours_of_a_whole_picture() -> None:
    lit = msgspec.structs.replace(STILL, lighting=0.1)
    images = torch.full((3, 3, 48, 48), 100, dtype=torch.uint8)
    shift = augment(images, 48, lit, AS_IS, generator())[:, :, 1:-1, 1:-1] - 100 / 255
    assert shift.flatten(2).std(2).max() < 1e-5
    assert len(set(shift[..., 0, 0].flatten().tolist())) == 9
    # A picture in grey stays so.
    grey = augment(images[:, :1], 48, lit, AS_IS, generator())
    assert torch.equal(grey[:, 0], grey[:, 2])


def test_the_papers_erasing_puts_zeros_after_the_normalisation() -> None:
    erasing = msgspec.structs.replace(STILL, erase=1.0, erase_area=(0.1, 0.1), erase_fill="mean")
    how = Preprocessing(mean=(0.5, 0.4, 0.3), std=(0.5, 0.5, 0.25))
    images = torch.full((50, 1, 48, 48), 255, dtype=torch.uint8)
    shown = augment(images, 48, erasing, how, generator())[:, :, 1:-1, 1:-1]
    zeros = (shown == 0).all(1)
    assert torch.equal(zeros, (shown == 0).any(1))
    torch.testing.assert_close(zeros.float().mean((1, 2)), torch.full((50,), 0.1), atol=0.03, rtol=0)
    torch.testing.assert_close(shown[:, 0], 1 - zeros.float(), atol=1e-4, rtol=0)


@given(st.integers(0, 1000))
def test_affine_stays_in_its_ranges(seed: int) -> None:
    ranges = Augmentation(flip=0.5, degrees=12, scale=0.12, shift=0.06)
    affine = draw_affine(64, ranges, generator(seed))
    linear = affine[:, :, :2]
    zoom = 1 / torch.linalg.det(linear).abs().sqrt()
    assert ((zoom >= 0.88 - 1e-5) & (zoom <= 1.12 + 1e-5)).all()
    turn = torch.rad2deg(torch.atan2(-linear[:, 0, 1], linear[:, 1, 1]))
    assert (turn.abs() <= 12 + 1e-4).all()
    assert (affine[:, :, 2].abs() <= 0.12 + 1e-6).all()
    # A similarity, perhaps mirrored: both axes of one length and at a right angle.
    squares = linear.transpose(1, 2) @ linear
    torch.testing.assert_close(squares[:, 0, 1], torch.zeros(64), atol=1e-5, rtol=0)
    torch.testing.assert_close(squares[:, 0, 0], squares[:, 1, 1])
    mirrored = torch.linalg.det(linear) < 0
    assert 0 < mirrored.sum() < 64


def test_a_shift_moves_the_picture_by_its_fraction_of_the_width() -> None:
    dot = torch.zeros(1, 1, 48, 48)
    dot[0, 0, 24, 24] = 1
    moved = warp(dot, torch.tensor([[[1.0, 0, 2 * 6 / 48], [0, 1, 0]]]), 48)
    assert moved[0, 0, 24, 18] == pytest.approx(1, abs=1e-4)


def test_what_lies_outside_is_black() -> None:
    half_size = torch.tensor([[[2.0, 0, 0], [0, 2, 0]]])
    warped = warp(torch.ones(1, 1, 48, 48), half_size, 48)
    assert warped[0, 0, 24, 24] == 1
    assert warped[0, 0, 0].sum() == 0


def test_light_keeps_within_black_and_white() -> None:
    ranges = Augmentation(contrast=1, brightness=0.5)
    pixels = pictures() / 255
    changed = change_light(pixels, ranges, generator())
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert not torch.equal(changed, pixels)


def test_half_of_the_pictures_change_their_sharpness() -> None:
    pixels = 0.5 + (pictures(200) / 255 - 0.5) / 10
    changed = soften_or_sharpen(pixels, Augmentation(blur=0.8, sharpen=0.8), generator())
    spread = changed.std((1, 2, 3)) / pixels.std((1, 2, 3))
    same = (changed == pixels).flatten(1).all(1)
    assert 70 < same.sum() < 130
    assert (spread[~same] < 1).sum() > 20
    assert (spread[~same] > 1).sum() > 20


def test_erasing_fills_one_rectangle_of_the_stated_area() -> None:
    pixels = torch.full((300, 1, 64, 64), 2.0)
    shades = torch.arange(300) / 1000
    erased = erase(pixels, Augmentation(erase=0.5, erase_area=(0.1, 0.2)), shades, generator())
    changed = (erased != 2)[:, 0]
    assert all(
        set(picture.unique().tolist()) <= {2, shade.item()}
        for picture, shade in zip(erased, shades, strict=True)
    )
    touched = changed.flatten(1).any(1)
    assert 110 < touched.sum() < 190
    share = changed[touched].float().mean((1, 2))
    assert (share > 0.08).all()
    assert (share < 0.23).all()
    rows, columns = changed[touched].any(2), changed[touched].any(1)
    torch.testing.assert_close(rows[:, :, None] & columns[:, None, :], changed[touched])


def test_same_generator_same_pictures() -> None:
    images = pictures()
    first, again, other = (
        augment(images, 64, Augmentation(lighting=0.1), AS_IS, generator(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
