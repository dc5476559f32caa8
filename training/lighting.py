"""Light of another colour: noise along the principal colours of natural pictures.

Source: Krizhevsky et al., "ImageNet Classification with Deep CNNs" (NeurIPS 2012), section 4.1; eigenvalues
and eigenvectors of ImageNet's pixels in 0..1 as in Facebook's fb.resnet.torch.
"""

from typing import Final

import torch
from torch import Tensor

EIGENVALUES: Final = (0.2175, 0.0188, 0.0045)
EIGENVECTORS: Final = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
"""Rows are red, green and blue; columns belong to the eigenvalues."""
LUMA: Final = (0.299, 0.587, 0.114)
"""Grey of R, G, B (ITU-R BT.601), as OpenCV makes it."""


def draw_lighting(count: int, strength: float, grey: bool, generator: torch.Generator) -> Tensor:
    """Draw what to add to pixels in 0..1: float32 [count, 3, 1, 1], or [count, 1, 1, 1] if `grey`.

    Each is the sum of the eigenvectors times their eigenvalues and a factor from N(0, `strength`); a grey
    picture is given the luma of it.
    """
    factors = strength * torch.randn(count, len(EIGENVALUES), generator=generator)
    shift = (factors * torch.tensor(EIGENVALUES)) @ torch.tensor(EIGENVECTORS).T
    if grey:
        shift = shift @ torch.tensor(LUMA)[:, None]
    return shift[:, :, None, None]
