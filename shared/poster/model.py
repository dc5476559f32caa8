"""POSTER as published, in its three sizes: two streams, the cross-fusion pyramid, gate and classifier.

Source: Zheng et al., "POSTER" (ICCVW 2023), and the product's paper, section II-A. Names are those of the
published checkpoints.
"""

from typing import Final

import torch
from torch import Tensor, nn

from shared.poster.expression import ExpressionModel, FeatureMaps, Prediction
from shared.poster.heads import ClassificationHead, SEBlock
from shared.poster.ir50 import IR50
from shared.poster.mobilefacenet import MobileFaceNet
from shared.poster.pyramid import CrossFusionPyramid, init_transformer

DEPTHS: Final = {"small": 4, "base": 6, "large": 8}
TOKENS: Final = 49


class Poster(ExpressionModel):
    """The published network; `depth` is the number of steps of its pyramid."""

    input_size = 112
    embedding_dim = 512

    def __init__(self, depth: int, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.face_landback = MobileFaceNet()
        self.ir_back = IR50()
        self.ir_layer = nn.Linear(1024, self.embedding_dim)
        self.pyramid_fuse = CrossFusionPyramid(tokens=TOKENS, depth=depth)
        self.se_block = SEBlock(self.embedding_dim)
        self.head = ClassificationHead(self.embedding_dim, num_classes)
        for module in (self.ir_layer, self.se_block, self.head):
            module.apply(init_transformer)

    def features(self, images: Tensor) -> FeatureMaps:
        """Return the last maps of IR-50 and the landmark tokens; see `ExpressionModel.features`."""
        images = self.to_input_size(images)
        with torch.no_grad():
            landmark = self.face_landback(images).flatten(2).transpose(1, 2)
        return FeatureMaps(self.image_maps(images), landmark)

    def image_maps(self, images: Tensor) -> Tensor:
        """Return the last maps of IR-50, [B, 256, 14, 14]."""
        maps: Tensor = self.ir_back(self.to_input_size(images))
        return maps

    def classify(self, maps: FeatureMaps) -> Prediction:
        """Return logits and embedding; see `ExpressionModel.classify`."""
        # The published network views the maps as 49 rows of 1024 without permuting them; in channels-last
        # they have no such view, hence reshape.
        tokens = self.ir_layer(maps.image.reshape(len(maps.image), TOKENS, -1))
        embedding = self.se_block(self.pyramid_fuse(tokens, maps.landmark))
        return Prediction(self.head(embedding), embedding)
