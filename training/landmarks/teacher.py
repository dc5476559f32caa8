"""The teacher: the 68-point net that nano's landmark stream is."""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from shared.errors import ModelError
from shared.poster import checkpoints
from shared.poster.config import Preprocessing
from shared.poster.nano import Nano
from shared.poster.streams import MEAN_RGB, LandmarkNet
from training.landmarks.points import mirror
from training.landmarks.student import find_points

TEACHER_SEES: Final = Preprocessing(mean=MEAN_RGB, std=(1.0, 1.0, 1.0))
"""What the 68-point net was published for."""


def read_teacher(name: str, models: Path | None) -> LandmarkNet:
    """Return the 68-point net of the model `name`. Raises ModelError when it is no nano."""
    model = checkpoints.load(name, models)
    if not isinstance(model, Nano):
        raise ModelError(f"{name} has no 68-point net: the teacher must be of size nano")
    return model.landmark


def teach(net: LandmarkNet, images: NDArray[np.uint8], device: torch.device) -> NDArray[np.float32]:
    """Return the points to learn, float32 [N, 68, 2], of pictures uint8 [N, S, S, 1 or 3].

    They are the mean over each picture and its mirror image: the net, which pads right and below only, sees
    points about half a pixel too far to the left.
    """
    seen = find_points(net, images, TEACHER_SEES, device)
    mirrored = mirror(find_points(net, images[:, :, ::-1], TEACHER_SEES, device))
    return np.asarray((seen + mirrored) / 2, np.float32)
