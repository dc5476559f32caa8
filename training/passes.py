"""Forward passes of a training step."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from shared.poster.expression import ExpressionModel, FeatureMaps
from training.devices import autocast


class Passes(nn.Module):
    """A model whose second pass over a batch takes from the first what is the same: its frozen parts."""

    def __init__(self, model: ExpressionModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, first: FeatureMaps | None) -> tuple[Tensor, FeatureMaps]:
        """Return logits float32 [B, C] of `images`, and the maps, for the next pass; `first` are the last's.

        The landmark tokens never have a gradient. The image maps have one where something of the image
        stream is trained, and only then are they made again.
        """
        with _plain_attention(images.device), autocast(images.device):
            if first is None:
                maps = self.model.features(images)
            elif first.image.requires_grad:
                maps = FeatureMaps(self.model.image_maps(images), first.landmark)
            else:
                maps = first
            return self.model.classify(maps).logits.float(), maps


def _plain_attention(device: torch.device) -> AbstractContextManager[object]:
    # On a CPU the backward of fused attention takes three times as long with heads as narrow as nano's.
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
