from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.faces.alignment import TEMPLATE, TEMPLATE_SIDE, Landmarks
from shared.poster.expression import Prediction
from tests.training.tiny import TinyModel, tiny_config
from training.datasets import Faces
from training.zoom import score_by_zoom

ANGRY, DISGUST = 0, 1


class Upright:
    """Finds the template in the middle of each crop, in `share` of its side; nothing in black crops."""

    def __init__(self, share: float) -> None:
        self.share = share

    def find(self, crops: Sequence[NDArray[np.uint8]]) -> Landmarks:
        points = np.zeros((len(crops), 5, 2), np.float32)
        found = np.array([bool(crop.any()) for crop in crops])
        side = len(crops[0])
        points[found] = side / 2 + (TEMPLATE / TEMPLATE_SIDE - 0.5) * self.share * side
        return Landmarks(points, found)


class BrightAtTheEdge(TinyModel):
    """Says disgust when the left edge is bright, else angry."""

    def forward(self, images: Tensor) -> Prediction:
        logits = torch.zeros(len(images), 7)
        logits[:, DISGUST] = images[:, 0, 4:-4, 0].mean(1)
        return Prediction(logits, torch.zeros(len(images), self.embedding_dim))


def framed_faces() -> Faces:
    """Two pictures with a bright frame of a quarter of their side around black, and a black one."""
    images = np.full((3, 48, 48, 1), 255, np.uint8)
    images[:, 12:36, 12:36] = 0
    images[2] = 0
    return Faces(images, np.array([ANGRY] * 3, np.int64), ("a", "b", "c"))


@pytest.mark.parametrize("batch_size", [1, 64])
def test_a_nearer_face_leaves_the_frame_out(batch_size: int) -> None:
    # The picture is 160 of the 240 pixels of a crop: the template spans the whole picture.
    scores = score_by_zoom(
        framed_faces(),
        np.array([ANGRY] * 3),
        BrightAtTheEdge().eval(),
        tiny_config(),
        Upright(160 / 240),
        (1.0, 3.0),
        batch_size,
    )
    assert scores[1.0].count == scores[3.0].count == 2
    assert scores[1.0].confusion[ANGRY, DISGUST] == 2
    assert scores[3.0].accuracy == 1
