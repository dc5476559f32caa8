from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.evaluation.shipped import as_frame, read_as_shipped


class Brightness:
    """Says how bright the middle of a frame is as its first probability; finds no face in black frames."""

    model, parameters, device = "bright@00000000", 0, "cpu"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        self.sizes.append(len(frames))
        levels = np.array([frame[120, 120, 0] / 255 for frame in frames], np.float32)
        answers = np.stack([levels, 1 - levels, *[np.zeros_like(levels)] * 5], axis=1)
        answers[levels == 0] = np.nan
        return answers


def test_a_picture_is_enlarged_in_a_frame_of_its_own_edges() -> None:
    image = np.zeros((48, 48, 1), np.uint8)
    image[0], image[-1] = 100, 200
    frame = as_frame(image)
    assert frame.shape == (240, 240, 3)
    assert frame.dtype == np.uint8
    assert (frame[:40, 40:200] == 100).all()
    assert (frame[200:, 40:200] == 200).all()
    assert (frame[120] == 0).all()
    assert frame.flags.c_contiguous


def test_a_large_picture_is_scaled_down_in_colour() -> None:
    colour = np.broadcast_to(np.array([10, 20, 30], np.uint8), (480, 480, 3))
    assert (as_frame(colour) == (10, 20, 30)).all()


def test_a_mean_is_taken_over_what_is_scaled_down() -> None:
    stripes = np.zeros((320, 320, 1), np.uint8)
    stripes[::2] = 200
    assert (as_frame(stripes) == 100).all()


def test_answers_come_in_order_whatever_the_batch() -> None:
    images = np.zeros((70, 48, 48, 1), np.uint8)
    images[:] = np.arange(70, dtype=np.uint8)[:, None, None, None]
    reader = Brightness()
    answers = read_as_shipped(images, reader)
    assert answers.shape == (70, 7)
    assert np.isnan(answers[0]).all()
    assert np.allclose(answers[1:, 0] * 255, np.arange(1, 70))
    assert sum(reader.sizes) == 70
