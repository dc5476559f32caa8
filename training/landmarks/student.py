"""The student: MobileFaceNet with its landmark outputs, out of the frost that POSTER keeps it in."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.faces.preprocessing import preprocess
from shared.poster.config import Preprocessing
from shared.poster.mobilefacenet import LANDMARK_OUTPUTS, MobileFaceNet
from shared.poster.streams import LandmarkNet

SIDE = 112
BATCH = 128


def new_student(points: NDArray[np.float32]) -> MobileFaceNet:
    """Return a trainable MobileFaceNet whose outputs start as the mean and spread of `points` [N, 68, 2]."""
    net = MobileFaceNet().requires_grad_(True)
    norm = net.output_layer.bn
    if not isinstance(norm, nn.BatchNorm1d):
        raise TypeError("the last layer is batch normalisation")
    flat = torch.from_numpy(points.reshape(len(points), LANDMARK_OUTPUTS))
    with torch.no_grad():
        norm.bias.copy_(flat.mean(0))
        norm.weight.copy_(flat.std(0, correction=0).clamp(min=1e-3))
    return net


def learn(net: MobileFaceNet) -> None:
    """Let the batch norms of `net` learn: `MobileFaceNet.train` keeps it in evaluation mode."""
    nn.Module.train(net)


def points_of(net: MobileFaceNet | LandmarkNet, images: Tensor) -> Tensor:
    """Return points [B, 68, 2], (x, y) as fractions of the side, of normalised images [B, 3, 112, 112]."""
    if isinstance(net, LandmarkNet):
        return net(images)  # type: ignore[no-any-return]
    points: Tensor = net.output_layer(net(images))
    return points.reshape(-1, LANDMARK_OUTPUTS // 2, 2)


def find_points(
    net: MobileFaceNet | LandmarkNet,
    images: NDArray[np.uint8],
    preprocessing: Preprocessing,
    device: torch.device,
) -> NDArray[np.float32]:
    """Return the points in each picture, uint8 [N, S, S, 1 or 3], as float32 [N, 68, 2]; see `points_of`.

    Computed in float32. Leaves the net on `device` in evaluation mode.
    """
    net.to(device).eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            part = images[start : start + BATCH]
            rgb = np.ascontiguousarray(np.broadcast_to(part, (*part.shape[:3], 3)))
            shown = torch.from_numpy(preprocess(rgb, preprocessing, SIDE)).to(device)
            found.append(points_of(net, shown).cpu().numpy())
    return np.concatenate(found)
