"""Grad-CAM from the same forward pass that predicts.

Source: Selvaraju et al., "Grad-CAM" (ICCV 2017), equations 1 and 2.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from shared.poster.expression import ExpressionModel, FeatureMaps


class Explained(NamedTuple):
    """A prediction and where in the face it came from; float32, without gradients."""

    logits: Tensor
    """`[B, classes]`, in the order of the model's own labels."""
    embedding: Tensor
    """`[B, embedding_dim]`, not normalised."""
    cam: Tensor
    """`[B, h, w]` in 0..1; the maximum is 1, or the whole map 0 where nothing speaks for the class."""


def predict_with_cam(model: ExpressionModel, images: Tensor, classes: Tensor | None = None) -> Explained:
    """Return logits, embedding and the class activation map of each face.

    `images` are as in `ExpressionModel.forward`; the rest is as in `explain`.
    """
    with torch.no_grad():
        maps = model.features(images)
    return explain(model, maps, classes)


def explain(model: ExpressionModel, maps: FeatureMaps, classes: Tensor | None = None) -> Explained:
    """Return logits, embedding and the class activation map of each face whose `maps` are known.

    `model` is in evaluation mode, `classes` `[B]` integers: the outputs to explain, by default each face's
    largest. Only what stands above the localisation layer is run, and run backward. Not for use inside
    `torch.inference_mode`, nor for maps from there.
    """
    with torch.enable_grad():
        leaf = maps.image.detach().requires_grad_()
        logits, embedding = model.classify(FeatureMaps(leaf, maps.landmark))
        chosen = logits.argmax(dim=1) if classes is None else classes
        score = logits.gather(1, chosen[:, None]).sum()
        (gradient,) = torch.autograd.grad(score, leaf)
    weights = gradient.float().mean(dim=(2, 3), keepdim=True)
    cam = (weights * maps.image.float()).sum(dim=1).relu()
    peak = cam.amax(dim=(1, 2), keepdim=True)
    cam = cam / torch.where(peak > 0, peak, 1)
    return Explained(logits.detach().float(), embedding.detach().float(), cam)
