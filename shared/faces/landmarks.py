"""The landmarks of a face whose box is known: MTCNN's output network, without MTCNN's search.

Source: Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks"
(2016), section II-B: the last of the three networks, as in `facenet_pytorch`, whose weights come with the
package.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.faces.alignment import TEMPLATE, Landmarks
from shared.poster.packed import pack

_SIDE: Final = 48
"""Side in pixels of what the network sees."""
_AT_ONCE: Final = 16
"""Faces that go through it together on a CPU, where that is the same."""
_LOOKS: Final = 2
"""It looks at the box, then at what it made of it; landmarks are the mean. That is nearer to full MTCNN's
than either look (docs/performance.md)."""
_FACE: Final = 0.6
_MEAN: Final = 127.5
_SCALE: Final = 1 / 128
_SHRINK: Final = 0.6
"""Below this scale a picture is halved before it is sampled, or every second pixel would go unseen."""


class _Squares(NamedTuple):
    """Left and top edge and side, float64 [N] each, in pixels of each face's crop."""

    left: NDArray[np.float64]
    top: NDArray[np.float64]
    side: NDArray[np.float64]


class BoxAligner:
    """Finds landmarks from the box in the middle of each crop."""

    def __init__(self, device: torch.device) -> None:
        net = ONet().eval().requires_grad_(False).to(device)
        # In this layout max pooling is vectorised on a CPU, which halves the time of a face.
        self._net = net.to(memory_format=torch.channels_last)
        self._device = device
        samples = torch.rand(_AT_ONCE, 3, _SIDE, _SIDE, generator=torch.Generator().manual_seed(0))
        samples = samples.to(device, memory_format=torch.channels_last)
        pack(self._net, samples)
        # Where the last bits of a face's landmarks depend on the batch, OpenCV's sampling in steps of a 32nd
        # of a pixel makes more of them: a probability moved by up to 0.0001.
        self._at_a_time: int | None = None
        if device.type != "cuda":
            self._at_a_time = _AT_ONCE if _same_alone(self._net, samples) else 1

    def find(self, crops: Sequence[NDArray[np.uint8]], margins: Sequence[float]) -> Landmarks:
        """Return the landmarks of the face in the box of each crop, uint8 RGB [S, S, 3], S of its own.

        `margins` is what the crops carry beyond the box on each side, in sides of the box. On a CPU the
        landmarks of a face do not depend on the other crops.
        """
        points = np.zeros((len(crops), len(TEMPLATE), 2), np.float64)
        found = np.zeros(len(crops), np.bool_)
        if not crops:
            return Landmarks(points.astype(np.float32), found)
        squares = _boxes(crops, margins)
        for _ in range(_LOOKS):
            corners, seen, probability = self._look(crops, squares)
            points += seen / _LOOKS
            found = probability > _FACE
            squares = _square(corners)
        return Landmarks(np.where(found[:, None, None], points, 0).astype(np.float32), found)

    def _look(
        self, crops: Sequence[NDArray[np.uint8]], squares: _Squares
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return what is seen in the squares: boxes [N, 4], points [N, 5, 2], probability of a face [N]."""
        shown = np.stack(
            [_sample(crop, *square) for crop, square in zip(crops, zip(*squares, strict=True), strict=True)]
        )
        batch = torch.from_numpy(shown).to(self._device).permute(0, 3, 1, 2)
        with torch.inference_mode():
            parts = torch.split((batch.float() - _MEAN) * _SCALE, self._at_a_time or len(batch))
            answers = [torch.cat(part) for part in zip(*(self._net(part) for part in parts), strict=True)]
        moved, relative, probability = (part.double().cpu().numpy() for part in answers)
        left, top, side = (each[:, None] for each in squares)
        corner = np.hstack([left, top, left + side, top + side])
        x, y = left + relative[:, :5] * side, top + relative[:, 5:] * side
        # Strictly these count from the edge of the first pixel, not from its centre. MTCNN as a whole lies
        # half a pixel and more beyond that, and so taking them as they are comes nearer to it.
        return corner + moved * side, np.stack([x, y], axis=-1), probability[:, 1]


def _same_alone(net: nn.Module, batch: Tensor) -> bool:
    """Say whether `net` answers with the same bits when it sees each of a batch by itself."""
    with torch.inference_mode():
        alone = [torch.cat(answers) for answers in zip(*map(net, torch.split(batch, 1)), strict=True)]
        return all(map(torch.equal, net(batch), alone))


def _boxes(crops: Sequence[NDArray[np.uint8]], margins: Sequence[float]) -> _Squares:
    whole = np.array([len(crop) for crop in crops], np.float64)
    side = whole / (1 + 2 * np.asarray(margins, np.float64))
    corner = (whole - side) / 2
    return _Squares(corner, corner, side)


def _square(corners: NDArray[np.float64]) -> _Squares:
    """Return the squares around the middle of boxes [N, 4] that are as large as their longer side."""
    left, top, right, bottom = corners.T
    side = np.maximum(np.maximum(right - left, bottom - top), 1.0)
    return _Squares((left + right - side) / 2, (top + bottom - side) / 2, side)


def _sample(crop: NDArray[np.uint8], left: float, top: float, side: float) -> NDArray[np.uint8]:
    """Return a square of a crop, brought to what the network sees; black beyond the crop."""
    while _SIDE / side < _SHRINK and len(crop) >= 2 * _SIDE:
        crop = np.asarray(cv2.resize(crop, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        left, top, side = left / 2, top / 2, side / 2
    scale = _SIDE / side
    # OpenCV counts from the centre of the first pixel.
    matrix = np.array(
        [[scale, 0, (0.5 - left) * scale - 0.5], [0, scale, (0.5 - top) * scale - 0.5]], np.float64
    )
    return np.asarray(cv2.warpAffine(crop, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR), np.uint8)
