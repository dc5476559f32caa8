"""What the worker and the training see of a model, whatever its size."""

from abc import ABC, abstractmethod
from typing import NamedTuple, Self

from torch import Tensor, nn
from torch.nn.functional import interpolate

from shared.poster.config import ModelConfig


class FeatureMaps(NamedTuple):
    """What stands below the classifier: the maps of the localisation layer and the landmark tokens."""

    image: Tensor
    """`[B, C, h, w]`: 256×14×14 in the published sizes, 7×7 in nano."""
    landmark: Tensor
    """`[B, T, D]`, from the frozen landmark stream; carries no gradient."""


class Prediction(NamedTuple):
    """What a model says of a batch of faces."""

    logits: Tensor
    """`[B, classes]`, in the order of the model's own labels."""
    embedding: Tensor
    """`[B, embedding_dim]`, not normalised."""


class ExpressionModel(nn.Module, ABC):
    """An expression classifier that is cut in two at its localisation layer, for Grad-CAM.

    `input_size` is the side in pixels that the image stream sees; `checkpoints.load` sets `config` and `id`
    (`name@hash`).
    """

    input_size: int
    embedding_dim: int
    num_classes: int
    config: ModelConfig | None = None
    id: str | None = None

    @abstractmethod
    def features(self, images: Tensor) -> FeatureMaps:
        """Return the maps of the localisation layer and the landmark tokens of `images`, as in `forward`."""

    def image_maps(self, images: Tensor) -> Tensor:
        """Return the `image` half of `features` alone, where it can be had alone."""
        return self.features(images).image

    @abstractmethod
    def classify(self, maps: FeatureMaps) -> Prediction:
        """Return logits and embedding of what `features` returned."""

    def forward(self, images: Tensor) -> Prediction:
        """Return logits and embedding of normalised RGB faces `[B, 3, S, S]`, floating point.

        A side S other than `input_size` (the paper's 224) is brought to it by nearest neighbour.
        """
        return self.classify(self.features(images))

    def train(self, mode: bool = True) -> Self:
        """Set the mode; batch norms whose scale is frozen stay in evaluation mode.

        Their running statistics would move otherwise, and an adapter holds none of them.
        """
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
        return self

    def to_input_size(self, images: Tensor) -> Tensor:
        """Return `images` with `input_size` as side, by nearest neighbour as in the published code."""
        if images.shape[-2:] == (self.input_size, self.input_size):
            return images
        return interpolate(images, size=self.input_size)


class FrozenStream(nn.Module):
    """A pretrained stream that training leaves as it is: in evaluation mode even inside `model.train()`.

    Subclasses call `requires_grad_(False)` once their layers exist.
    """

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002 - the signature of nn.Module
        """Stay in evaluation mode, so that the running statistics never move."""
        return super().train(False)
